"""A stack's state against its host: what its live release is, and what differs from it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from slipway import look
from slipway.doctor.facts import Orphan
from slipway.errors import HostError
from slipway.host import LABEL_OWNER, Host
from slipway.ingress import Ingress
from slipway.probes import Prober
from slipway.state import CONTAINER, STASH, live_fact, parse_state
from slipway.verify import parse_export, verify

_ROUTES = "-ingress-routes"
_AGREEMENT = "agreement"
_NOBODY = {LABEL_OWNER: ""}


class Serving:
    """What a stack's state says that it serves.

    Args:
        stack: its name.
        export: its state, as `pulumi stack export` gives it.
    """

    def __init__(self, stack: str, export: Mapping[str, Any]) -> None:
        self._stack = stack
        self._export = export
        resources = (export.get("deployment") or {}).get("resources") or []
        self._outputs = [(r["urn"], r.get("outputs") or {}) for r in resources]
        self._state = parse_state({urn: {"outputs": outputs} for urn, outputs in self._outputs})
        facts = [name for name in self._state.named(STASH) if name.endswith("-live")]
        self._live = live_fact(self._state.stash(facts[0]) if facts else None)

    @property
    def release(self) -> int | None:
        """Number of the release that is live; None without one."""
        return int(self._live.ledger[0]["number"]) if self._live.ledger else None

    @property
    def owner(self) -> str | None:
        """What the containers of this stack are labelled with; None before its first release."""
        labels = (pair for _, outputs in self._outputs for pair in outputs.get("labels") or [])
        return next((p["value"] for p in labels if p.get("label") == LABEL_OWNER), None)

    @property
    def ingress(self) -> str:
        """Name of the proxy's container; empty before the first release."""
        volumes = self._state.named("docker:index/volume:Volume").values()
        routes = (str(volume.get("name")) for volume in volumes)
        found = (name for name in routes if name.endswith(_ROUTES))
        return next((name.removesuffix("-routes") for name in found), "")

    def drift(self, host: Host, prober: Callable[[str], Prober]) -> tuple[str, ...]:
        """How containers, proxy and public address differ from the live release, a line each.

        Raises:
            HostError: the engine does not answer.
        """
        # Containers that no state knows have a check of their own.
        reasons = look.compare(self._state, self._live, host, self.ingress, _NOBODY).reasons
        deployment = parse_export(self._stack, self._export)
        checks = list(verify(deployment, host, prober(deployment.address)))
        middle = [check.what for check in checks].index(_AGREEMENT)
        # A container that is gone or stopped stands among the reasons already.
        rest = checks[middle + 1 :] if reasons else checks
        failed = [c for c in rest if c.passed is False and c.what != _AGREEMENT]
        return (*reasons, *(f"{check.what}: {check.seen}" for check in failed))

    def orphans(self, host: Host, created: Callable[[str], datetime | None]) -> tuple[Orphan, ...]:
        """The containers with this stack's owner label that its state does not know.

        Raises:
            HostError: the engine does not answer.
        """
        if self.owner is None:
            return ()
        # Also what the engine is about to delete, which shares its URN with what replaced it.
        known = {
            str(outputs.get("name"))
            for urn, outputs in self._outputs
            if urn.rpartition("::")[0].endswith(CONTAINER)
        }
        found = [c for c in host.containers({LABEL_OWNER: self.owner}) if c.name not in known]
        if not found:
            return ()
        led_to = self._led_to(host)
        return tuple(
            Orphan(
                name=container.name,
                id=container.id,
                status=container.status,
                routed=container.running if led_to is None else container.name in led_to,
                created=created(container.id),
            )
            for container in found
        )

    def _led_to(self, host: Host) -> frozenset[str] | None:
        """Names of the containers that the proxy leads to; None where it is not to be asked."""
        try:
            return Ingress(host, self.ingress).live().containers
        except HostError:
            return None
