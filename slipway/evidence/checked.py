"""Evidence of a run that did not pass the gate: it had nothing to do, or did not come so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.evidence.model import (
    RUN_FORMAT,
    Evidence,
    Failure,
    Git,
    Kind,
    ProbeResult,
    ServiceEvidence,
)
from slipway.origin import GitState
from slipway.verify import Check, Deployment

_STACK = "(stack)"
"""Where what concerns no service stands."""


@dataclass(frozen=True)
class Report:
    """What is known of the run.

    Args:
        stack: the stack.
        run: name of the run.
        kind: what it was.
        actor: who began it.
        git: where the source stood.
    """

    stack: str
    run: str
    kind: Kind
    actor: str
    git: GitState | None

    def of(
        self,
        deployment: Deployment | None,
        checks: Sequence[Check],
        errors: str,
        ended: datetime,
    ) -> Evidence:
        """The evidence.

        Args:
            deployment: what serves, and was seen to; None if the run failed.
            checks: what was looked at.
            errors: what went wrong, with secrets hidden.
            ended: when the run ended.
        """
        head = deployment.live.ledger[0] if deployment else None
        summary = summary_of(errors) or "it did not come to its end"
        failure = None if head else Failure(summary=summary, report=errors)
        started = datetime.strptime(self.run, RUN_FORMAT).replace(tzinfo=UTC)
        return Evidence(
            stack=self.stack,
            run=self.run,
            started=started.isoformat(),
            ended=ended.isoformat(timespec="seconds"),
            kind=self.kind,
            outcome="verified" if head else "failed",
            actor=self.actor,
            git=Git(**self.git.recorded()) if self.git else None,
            release=int(head["number"]) if head else None,
            rollback_of=head.get("rollback_of") if head else None,
            address=deployment.address if deployment else "",
            fingerprint=str(head["fingerprint"]) if head else "",
            services=_services(deployment, checks),
            failure=failure,
        )


def summary_of(errors: str) -> str:
    """The line that says most: a head that only announces the next one is joined to it."""
    first, _, rest = errors.partition("\n")
    return f"{first} {rest.partition(chr(10))[0].strip()}" if first.endswith(":") else first


def _services(deployment: Deployment | None, checks: Sequence[Check]) -> list[ServiceEvidence]:
    live = deployment.live if deployment else None
    names = sorted(live.serving) if live else []
    found = []
    for name in [*names, _STACK]:
        own = [check for check in checks if _service_of(check, names) == name]
        probes = [_result(check) for check in own if check.passed is not None]
        entry = live.ledger[0]["services"].get(name, {}) if live else {}
        container = live.serving[name] if live and name != _STACK else {}
        if probes or entry:
            found.append(
                ServiceEvidence(
                    name=name,
                    role=container.get("role", ""),
                    container=container.get("name", ""),
                    revision=entry.get("revision", ""),
                    source_hash=entry.get("source_hash"),
                    image_expected=entry.get("image", ""),
                    # The first of its checks is that this is what runs.
                    image_running=[entry["image"]] if own and own[0].passed and entry else [],
                    probes=probes,
                )
            )
    return found


def _service_of(check: Check, names: Sequence[str]) -> str:
    first = check.what.partition(" ")[0]
    return first if first in names else _STACK


def _result(check: Check) -> ProbeResult:
    return ProbeResult(
        title=check.what,
        asked="public",
        passed=bool(check.passed),
        expected="as the release says",
        found=check.seen,
    )
