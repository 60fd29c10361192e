"""Ledgers, runs and evidence for tests of a stack's history. Days are of January 2026."""

from typing import Any

from slipway.history import Evidence, evidence

from .support_gate import image

COMMIT = "1a2b3c4d5e6f" + "0" * 28


def at(clock: str, day: int = 5) -> str:
    return f"2026-01-{day:02}T{clock}+00:00"


def entry(number: int, clock: str, **more: Any) -> dict[str, Any]:
    services = {"worker": {"image": image("b")}, "web": {"image": image("a")}}
    return {"number": number, "time": at(clock), "services": services, **more}


def run(result: str, started: str, ended: str, kind: str = "update") -> dict[str, Any]:
    times = {"startTime": f"2026-01-05T{started}.000Z", "endTime": f"2026-01-05T{ended}.000Z"}
    return {"version": 0, "kind": kind, "result": result, **times}


def piece(started: str, ended: str | None, summary: str | None, **more: Any) -> Evidence:
    failure = {"summary": summary, "service": "web", "report": "long"} if summary else None
    outcome = "unfinished" if ended is None else "failed"
    document = {
        "started": at(started),
        "ended": at(ended) if ended else None,
        "outcome": outcome,
        "failure": failure,
        **more,
    }
    found = evidence(f"{started}-{outcome}.json", document)
    assert found is not None
    return found
