"""What a failed release says."""

from slipway.gate_plan import Candidate, GatePlan
from slipway.host import ContainerState
from slipway.roles import Role, release_name
from slipway.trial import Fault


def failure_report(
    plan: GatePlan, candidate: Candidate, fault: Fault, state: ContainerState | None, log: str
) -> str:
    """What a failed release says: what happened, where, what was seen, what to do next."""
    lines = [
        f"the release of {plan.stack} was refused: {_called(plan, candidate)}: {fault.summary}",
        f"container: {candidate.container}" + (f", {described(state)}" if state else ""),
        f"image: {candidate.image}",
    ]
    lines += [part for verdict in fault.verdicts for part in str(verdict).splitlines()]
    if log:
        lines += ["end of its log:", *(f"  | {line}" for line in log.splitlines())]
    else:
        lines.append("its log is empty")
    mend = "its settings" if candidate.role is Role.BACKING else "the source"
    if plan.logs:
        lines.append(f"next: mend {mend}, and deploy again; its whole log is kept in {plan.logs}")
    else:
        lines.append(
            f"next: the container is kept (docker logs {candidate.container}); mend {mend} and "
            "run pulumi up again"
        )
    return "\n".join(lines)


def _called(plan: GatePlan, candidate: Candidate) -> str:
    """The candidate in words of the compose file, which knows of no service for a command."""
    for other in plan.candidates:
        if other.extension.release and release_name(other.service) == candidate.service:
            return f"release command of {other.service}"
    return f"service {candidate.service}"


def described(state: ContainerState) -> str:
    """How a container is, in a few words."""
    if state.running and not state.restarts:
        return "running"
    if state.running or state.status == "restarting":
        last = f", last exit code {state.exit_code}" if state.exit_code else ""
        return f"{state.status}, restarted by Docker ({state.restarts}){last}"
    return f"{state.status} with exit code {state.exit_code}"
