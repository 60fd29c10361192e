"""What the engine's hooks call: the gate, and the removal of what killed runs left."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway import preflight
from slipway.conventions import known_image
from slipway.errors import GateError, HostError, UserError
from slipway.evidence.model import RUN_FORMAT, Evidence, Git, Kind
from slipway.evidence.recorder import Recorder
from slipway.evidence.store import FOLDER as EVIDENCE_FOLDER
from slipway.evidence.store import Store
from slipway.gate import Gate
from slipway.gate_plan import Candidate, GatePlan
from slipway.hold import held_stable_for
from slipway.host import LABEL_CONFIG, LABEL_OWNER, LABEL_ROLE, ContainerState, Host, connect
from slipway.image_plan import ImagePlan
from slipway.ingress import Ingress
from slipway.plan import ContainerPlan, identity_of
from slipway.prepared import Prepared, Settings
from slipway.probes import Prober
from slipway.proof.inspection import Inspector
from slipway.proof.subject import Subject, subject_of
from slipway.proxy import table_id
from slipway.roles import Role, job_timeout
from slipway.state import live_fact


def pass_gate(prepared: Prepared, fact: Mapping[str, Any], report: Callable[[str], None]) -> None:
    """Carry the gate out for a fact that is to enter the state.

    Raises:
        UserError: the release did not pass; what served before still serves.
    """
    services = live_fact(fact).ledger[0]["services"]
    jobs = [plan for plan in prepared.containers if plan.role is Role.JOB]
    restores = prepared.restores is not None
    if restores and jobs:
        names = ", ".join(plan.service.name for plan in jobs)
        report(f"{names}: not run again, a rollback leaves the database as it is")
    plan = GatePlan(
        stack=prepared.prefix,
        fingerprint=prepared.fingerprint,
        ingress=prepared.ingress_name,
        candidates=tuple(
            _candidate(plan, services[plan.service.name]["image"], prepared.settings)
            for plan in prepared.containers
            if not (restores and plan in jobs)
        ),
        live=frozenset(found["name"] for found in prepared.live.serving.values()),
        orphans=prepared.orphans,
        served=prepared.live.upstreams,
        table=table_id(prepared.sites),
        labels={LABEL_OWNER: prepared.stack.owner, LABEL_ROLE: "service"},
        proven_before=restores,
        proofs=_proofs(prepared, services),
        logs=f"backups/{prepared.stack.stack}/{prepared.run}/" if prepared.run else "",
    )
    evidence = _recorder(prepared, report)
    try:
        with closing(connect()) as host:
            Gate(
                plan,
                host,
                Ingress(host, prepared.ingress_name),
                Prober(prepared.address),
                connect,
                prepared.redactor,
                report,
                evidence=evidence,
                images=Inspector(host.client, prepared.labels, prepared.prefix),
            ).run()
    except BaseException as error:
        evidence.finish(None, str(error) or type(error).__name__)
        if isinstance(error, (GateError, HostError)):
            raise type(error)(_told(prepared, error)) from error
        raise
    evidence.finish(live_fact(fact).ledger[0]["number"])


def _proofs(prepared: Prepared, services: Mapping[str, Any]) -> dict[str, Subject]:
    """What is to be proven of the images, by service."""
    live = prepared.live
    served = live.ledger[0]["services"] if live.ledger else {}
    found = {}
    for plan in prepared.containers:
        name = plan.service.name
        place = prepared.proof_places.get(name, name)
        image, earlier = services[name]["image"], served.get(name, {})
        subject = subject_of(plan, place, Path.cwd(), image, earlier)
        if subject is not None:
            found[name] = subject
    return found


def _told(prepared: Prepared, error: UserError) -> str:
    """A failure as people read it, with the way back where the gate alone cannot go it."""
    lines = [prepared.redactor(str(error))]
    if prepared.needs_replacing_back:
        stack = prepared.stack.stack
        lines.append(
            "the proxy stays as this run has made it; with what it was made from before (port, "
            "bind, ingressImage or networks) it has to be made anew once more: "
            f"SLIPWAY_REPLACE_INGRESS=1 pulumi up --stack {stack}"
        )
    return "\n".join(lines)


def _recorder(prepared: Prepared, report: Callable[[str], None]) -> Recorder:
    """Takes down what this run sees."""
    now = datetime.now(UTC)
    origin, live = prepared.origin, prepared.live
    restores_live = bool(live.ledger) and prepared.restores == live.ledger[0]["number"]
    kind: Kind = "automatic rollback" if restores_live else "rollback"
    begun = Evidence(
        stack=prepared.stack.stack,
        run=prepared.run or now.strftime(RUN_FORMAT),
        started=now.isoformat(timespec="seconds"),
        kind="deploy" if prepared.restores is None else kind,
        actor=origin.actor,
        git=Git(**origin.git.recorded()) if origin.git and prepared.restores is None else None,
        rollback_of=prepared.restores,
        hotfix=origin.hotfix,
        address=prepared.address,
        fingerprint=prepared.fingerprint,
    )
    recorder = Recorder(
        begun,
        Store(EVIDENCE_FOLDER, prepared.stack.stack),
        time.monotonic,
        lambda: datetime.now(UTC),
        report,
        prepared.redactor,
    )
    for plan in prepared.containers:
        _, source_hash = identity_of(plan.image)
        facts = {"revision": plan.revision, "source_hash": source_hash}
        pushed = prepared.pushed.get(plan.image.name if isinstance(plan.image, ImagePlan) else "")
        recorder.service(plan.service.name, **facts, image_pushed=pushed)
    return recorder


def _candidate(plan: ContainerPlan, image: str, settings: Settings) -> Candidate:
    service = plan.service
    known = known_image(service.image or "")
    asked = plan.role is Role.BACKING and not service.has_health_check
    stable_for = _stable_for(plan, settings)
    cut = plan.role is Role.HELD and service.extension.stable_for is None
    return Candidate(
        service=service.name,
        container=plan.name,
        image=image,
        extension=service.extension,
        stable_for=stable_for,
        watched_after=settings.stable_for - stable_for if cut else 0.0,
        upstream=plan.upstream,
        grace=service.stop_grace_period,
        role=plan.role,
        ready=known.ready if known is not None and asked else None,
        alone=plan.alone,
        timeout=_timeout(plan),
        source_hash=identity_of(plan.image)[1],
    )


def _stable_for(plan: ContainerPlan, settings: Settings) -> float:
    extension = plan.service.extension
    if plan.role is Role.HELD:
        return held_stable_for(extension, settings.stable_for)
    if extension.stable_for is not None:
        return extension.stable_for
    return 0.0 if plan.role is Role.BACKING else settings.stable_for


def _timeout(plan: ContainerPlan) -> float:
    if plan.role is Role.JOB:
        return job_timeout(plan.service)
    return plan.service.extension.timeout


def remove_leftover_network(prepared: Prepared, name: str) -> None:
    """Remove networks of ours that a killed run left under a name that is needed.

    Raises:
        HostError: a network of that name is not ours, or is in use.
    """
    with closing(connect()) as host:
        for network in host.networks(name):
            own = network.labels.get(LABEL_OWNER) == prepared.stack.owner
            if not own or network.used:
                raise HostError(
                    f"network {name} is there already, and this stack's state has not "
                    f"made it; remove it (docker network rm {name}), or use another "
                    "stack name"
                )
            host.remove_network(network.id)


def remove_leftover(container: str, prepared: Prepared) -> None:
    """Remove a container of ours that a killed run left under a name that is needed.

    Raises:
        HostError: the container of that name is not ours.
    """
    with closing(connect()) as host:
        preflight.require_own_names([container], LABEL_OWNER, prepared.stack.owner, host)
        found = host.container(container)
        if found is not None and found.running and _routed(prepared, host, container):
            if container == prepared.ingress_name and _is_wanted(found, prepared):
                # A run that was killed has made it, and the routes are not in it.
                host.remove(container)
                return
            raise HostError(
                f"container {container} runs and takes the public traffic, but this stack's state "
                "does not know it: was an older state restored? Nothing was changed; compare "
                "docker ps with pulumi stack export, and remove the container by hand if nothing "
                "needs it"
            )
        host.remove(container)


def _is_wanted(ingress: ContainerState, prepared: Prepared) -> bool:
    return LABEL_CONFIG in ingress.labels and preflight.has_settings(
        ingress.labels, prepared.ingress_settings
    )


def _routed(prepared: Prepared, host: Host, container: str) -> bool:
    """Whether the proxy leads to a container, or is that container and leads anywhere."""
    ingress = host.container(prepared.ingress_name)
    if ingress is None or not ingress.running:
        return False
    routed = Ingress(host, prepared.ingress_name).live().containers
    return bool(routed) if container == prepared.ingress_name else container in routed
