"""Asking a container itself whether it is ready, by a command that is run in it."""

from collections.abc import Sequence

from slipway.gate_plan import Candidate
from slipway.host import Host
from slipway.probes import Verdict

_OUTPUT_START = 500


def ask(candidate: Candidate, host: Host, *, steady: bool) -> list[Verdict]:
    """The verdict of a candidate's own check; none where there is nothing to ask.

    Docker runs a container's health check for the first time after a whole interval, which is 30 s
    unless the compose file says otherwise. Until it has, its command is run here.

    Args:
        candidate: the candidate; `ready` goes before what its image says.
        host: the engine.
        steady: whether it was well already; from then on Docker's own looks count, so that no
            single one of ours ends the time for which it is watched.
    """
    test = candidate.ready
    if test is None and not steady:
        state = host.container(candidate.container)
        if state is None or state.health != "starting":
            return []
        test = state.health_test
    return [_run(test, candidate, host)] if test else []


def _run(test: Sequence[str], candidate: Candidate, host: Host) -> Verdict:
    kind, *words = test
    command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
    code, output = host.execute(candidate.container, command)
    title = " ".join(words)
    body = output.strip()[:_OUTPUT_START]
    return Verdict(title, code == 0, "exit code 0", f"exit code {code}", body)
