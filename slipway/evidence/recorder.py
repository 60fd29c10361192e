"""Taking down what is seen while a release passes the gate."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from slipway.evidence.model import Evidence, Failure, Phase, ProbeResult, ServiceEvidence
from slipway.evidence.store import Store
from slipway.probes import Verdict

Asked = Literal["candidate", "public"]
_NEVER = "0001"
_FLUSH = 1.0
"""Seconds between two writings of what is known so far, unless a phase ends."""


class Recorder:
    """One run's evidence in the making.

    Nothing that goes wrong here fails a deploy: what cannot be written is told once.

    Args:
        begun: what is known before anything was seen.
        store: where it is kept; None keeps nothing.
        clock: gives seconds.
        now: gives the time, with a time zone.
        report: takes a line for the user.
        redact: hides secrets in what applications and errors say.
    """

    def __init__(
        self,
        begun: Evidence,
        store: Store | None,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        report: Callable[[str], None],
        redact: Callable[[str], str] = lambda text: text,
    ) -> None:
        self._redact = redact
        self._evidence = begun
        self._store = store
        self._clock = clock
        self._now = now
        self._report = report
        self._started = clock()
        self._phase = ""
        self._phases: list[Phase] = []
        self._running: list[tuple[str, float]] = []
        self._flushed = self._started
        self._services: dict[str, dict[str, Any]] = {}
        self._probes: dict[tuple[str, str, str], ProbeResult] = {}
        self._failure: Failure | None = None
        self._keep(Store.begin)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What happens in the block takes its time under a name."""
        outer, self._phase = self._phase, name
        running = (name, self._clock())
        self._running.append(running)
        self._flush()
        try:
            yield
        finally:
            self._running.remove(running)
            self._phases.append(self._timed(*running))
            if self._failure is None:
                self._phase = outer
            self._keep(Store.begin)

    def service(self, name: str, **facts: Any) -> None:
        """Note facts of a service; the names are those of `ServiceEvidence`."""
        self._services.setdefault(name, {}).update(facts)
        self._flush()

    def probed(self, service: str, asked: Asked, verdict: Verdict) -> None:
        """Note an answer; the last one counts, but none that is well hides why a release failed."""
        key = (service, asked, verdict.probe)
        before = self._probes.get(key)
        rounds = before.rounds + 1 if before else 1
        if before and not before.passed and verdict.passed and self._failure:
            self._probes[key] = before.model_copy(update={"rounds": rounds})
            return
        self._probes[key] = ProbeResult(
            title=verdict.probe,
            asked=asked,
            passed=verdict.passed,
            expected=self._redact(verdict.expected),
            found=self._redact(verdict.found),
            milliseconds=None if verdict.milliseconds is None else round(verdict.milliseconds, 1),
            body="" if verdict.passed else self._redact(verdict.body),
            rounds=rounds,
            version=None if verdict.version is None else self._redact(verdict.version),
        )
        self._flush()

    def ended(self, service: str, exit_code: int | None, log: str) -> None:
        """Note how a container ended, and the end of its log."""
        self.service(service, exit_code=exit_code, log_tail=self._redact(log))

    def failed(self, summary: str, service: str | None = None) -> None:
        """Note why the release fails; the first reason counts."""
        if self._failure is None:
            said = self._redact(summary)
            self._failure = Failure(phase=self._phase, service=service, summary=said)
            self._keep(Store.begin)

    def finish(self, release: int | None, report: str = "") -> Path | None:
        """Keep the report; gives the page to read.

        Args:
            release: its number, if it was verified.
            report: all that is said of a failure.
        """
        if release is None:
            report = self._redact(report)
            first = report.partition("\n")[0]
            failure = self._failure or Failure(phase=self._phase, summary=first or "unknown")
            self._failure = failure.model_copy(update={"report": report})
        outcome = "failed" if release is None else "verified"
        self._evidence = self._evidence.model_copy(
            update={
                "outcome": outcome,
                "release": release,
                "ended": self._now().isoformat(timespec="seconds"),
            }
        )
        return self._keep(Store.finish)

    def _timed(self, name: str, begins: float) -> Phase:
        return Phase(
            name=name,
            begins=round(begins - self._started, 2),
            seconds=round(self._clock() - begins, 2),
        )

    def _flush(self) -> None:
        """Keep what is known for the case that the run is killed, without writing all the time."""
        if self._clock() - self._flushed >= _FLUSH:
            self._keep(Store.begin)

    def _keep(self, write: Callable[[Store, Evidence], Path | None]) -> Path | None:
        if self._store is None:
            return None
        self._flushed = self._clock()
        try:
            return write(self._store, self._current())
        except (OSError, ValueError) as error:  # ValueError: text that is no Unicode, odd facts.
            self._store = None
            self._report(f"warning: evidence is not kept: {str(error).partition(chr(10))[0]}")
            return None

    def _current(self) -> Evidence:
        services = []
        for name, facts in self._services.items():
            probes = [p for (of, _, _), p in self._probes.items() if of == name]
            found = ServiceEvidence(name=name, **facts, probes=probes)
            after = _after(found.container_started, found.image_pushed or found.image_created)
            services.append(found.model_copy(update={"started_after_image": after}))
        phases = [*self._phases, *(self._timed(*running) for running in self._running)]
        return self._evidence.model_copy(
            update={"phases": phases, "services": services, "failure": self._failure}
        )


def moment(text: str | None) -> datetime | None:
    """A time as Docker writes it; None for its `never`, and for what is no time."""
    if not text or text.startswith(_NEVER):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _after(started: str | None, image: str | None) -> bool | None:
    one, other = moment(started), moment(image)
    return None if one is None or other is None else one > other


def silent() -> Recorder:
    """A recorder that keeps nothing."""
    nothing = Evidence(stack="", run="", started="")
    return Recorder(nothing, None, lambda: 0.0, lambda: datetime.now(UTC), lambda line: None)
