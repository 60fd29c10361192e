"""How far a `pulumi up` has come, told from the engine's events.

`advance` takes one event, as the engine writes it into its event log, and gives the progress after
it and the lines to show. Nothing here draws: see `slipway.progress_display`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from slipway.state import REMOTE_IMAGE, STASH

Event = Mapping[str, Any]

_LIVE = "-live"
_PROVIDER = "pulumi:providers:"
"""A provider is settings in the state: when one is noted down, nothing has happened yet."""
_IMAGES = {REMOTE_IMAGE, "docker:index/registryImage:RegistryImage"}
_DOCKER = "docker:index/"
_DELETES = {"delete", "delete-replaced"}
_CHANGES = {"create", "update", "replace", "create-replacement", *_DELETES}
_WORDS_OF_OURS = ("pulumi:pulumi:Stack", "slipway:")
"""Types whose errors are Slipway's own reports, which name what they are about."""
_STEERING = re.compile(
    r"<\{%.*?%\}>"  # the engine's own words for colours
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a terminal's
    r"|[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
_HOOK = re.compile(r'^before hook "[^"]*" failed: ')
_PROVIDER_S_OWN = "sdk-v2/"
"""The bridged provider logs each failure, with the place in its source, before it tells of it."""
_CLOSING = re.compile(
    r"(?:update|preview|destroy|refresh) failed"
    r"|an unhandled error occurred: program exited with non-zero exit code: \d+"
)
"""What the engine says of a failure in the end, to those who have not read why."""


class Phase(StrEnum):
    """Where an update is; in the order in which they come."""

    READING = "reading"
    IMAGES = "images"
    CONTAINERS = "containers"
    GATE = "gate"
    CLEAN_UP = "clean-up"


TITLES = {
    Phase.READING: "reading the project and its state",
    Phase.IMAGES: "building and pushing images",
    Phase.CONTAINERS: "making containers",
    Phase.GATE: "proving the release",
    Phase.CLEAN_UP: "removing what served before",
}


class Kind(StrEnum):
    """What a line is."""

    PHASE = "phase"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Line:
    """Something to show; an error or a warning may be a block of several lines."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Progress:
    """How far an update has come.

    Args:
        phase: where it is.
        finished: URNs of the resources that are done.
        busy: URNs of the resources that are being changed, in the order in which that began.
        changed: whether anything but components and providers has begun to change.
        recorded: whether the release has entered the state.
        failed: whether anything has failed.
        ended: whether the engine has nothing more to tell.
        told: the lines that were shown.
    """

    phase: Phase = Phase.READING
    finished: frozenset[str] = frozenset()
    busy: tuple[str, ...] = ()
    changed: bool = False
    recorded: bool = False
    failed: bool = False
    ended: bool = False
    told: frozenset[Line] = field(default_factory=frozenset, repr=False)

    @property
    def done(self) -> int:
        """How many resources are done, whether anything about them changed or not."""
        return len(self.finished)

    def status(self, seconds: float) -> str:
        """One line for what goes on now: `proving the release  1:05  12 resources done`."""
        minutes, rest = divmod(int(seconds), 60)
        count = "1 resource" if self.done == 1 else f"{self.done} resources"
        return f"{TITLES[self.phase]}  {minutes}:{rest:02}  {count} done"


class Follower:
    """Feeds events to `advance` one by one, and hands on what is to be shown.

    Args:
        show: takes the progress after an event, and the lines to show.

    Example:
        with display(sys.stderr, os.environ, time.monotonic) as shown:
            follower = Follower(shown.update)
            for event in events:
                follower(event)
        exit_code = 0 if follower.progress.recorded else 1
    """

    def __init__(self, show: Callable[[Progress, Sequence[Line]], None]) -> None:
        self.progress = Progress()
        self._show = show

    def __call__(self, event: Event) -> None:
        self.progress, lines = advance(self.progress, event)
        self._show(self.progress, lines)


def advance(progress: Progress, event: Event) -> tuple[Progress, list[Line]]:
    """The progress after an event, and the lines that are to be shown.

    Args:
        progress: before the event.
        event: of one of the kinds that the engine knows; those that say nothing here, and those
            of a preview, leave all as it is.
    """
    before = progress.phase
    if (step := event.get("resourcePreEvent")) is not None:
        progress = _begun(progress, step)
    elif (step := event.get("resOutputsEvent")) is not None:
        progress = _done(progress, step)
    elif (step := event.get("resOpFailedEvent")) is not None:
        urn = step["metadata"]["urn"]
        progress = replace(progress, busy=_without(progress.busy, urn), failed=True)
    elif (summary := event.get("summaryEvent")) is not None:
        failed = progress.failed or summary.get("result") == "failed"
        progress = replace(progress, failed=failed)
    elif "cancelEvent" in event:
        progress = replace(progress, ended=True)
    entered = progress.phase is not before or "preludeEvent" in event
    title = [Line(Kind.PHASE, TITLES[progress.phase])] if entered else []
    return _tell(progress, [*title, *_said(event)])


def _begun(progress: Progress, step: Event) -> Progress:
    metadata = step["metadata"]
    state = metadata.get("new") or metadata.get("old") or {}
    real = state.get("custom") and not metadata["type"].startswith(_PROVIDER)
    if step.get("planning") or metadata["op"] not in _CHANGES or not real:
        return progress
    busy = (*_without(progress.busy, metadata["urn"]), metadata["urn"])
    phase = _phase(progress, metadata)
    return replace(progress, busy=busy, phase=phase, changed=True)


def _phase(progress: Progress, metadata: Event) -> Phase:
    """The phase that a change belongs to."""
    type_ = metadata["type"]
    if progress.phase is Phase.CLEAN_UP:
        return Phase.CLEAN_UP
    if metadata["op"] in _DELETES:
        # A resource may be deleted before its successor is made. What is deleted because it is
        # no longer declared comes after all others, which the release is one of.
        settled = any(_is_live(urn) for urn in progress.finished)
        return Phase.CLEAN_UP if settled else progress.phase
    if _is_live(metadata["urn"]):
        return Phase.GATE
    if type_ in _IMAGES:
        return Phase.IMAGES
    building = any(_type(urn) in _IMAGES for urn in progress.busy)
    if type_.startswith(_DOCKER) and not building and progress.phase is not Phase.GATE:
        return Phase.CONTAINERS
    return progress.phase


def _done(progress: Progress, step: Event) -> Progress:
    if step.get("planning"):
        return progress
    urn, op = step["metadata"]["urn"], step["metadata"]["op"]
    recorded = progress.recorded or (_is_live(urn) and op in {"create", "update"})
    finished = progress.finished | {urn}
    return replace(
        progress, busy=_without(progress.busy, urn), finished=finished, recorded=recorded
    )


def _said(event: Event) -> list[Line]:
    """What an event says in words."""
    if (said := event.get("diagnosticEvent")) is not None:
        return _diagnostic(said)
    if (said := event.get("stdoutEvent")) is not None:
        return [Line(Kind.INFO, _plain(said.get("message", "")))]
    if (said := event.get("policyEvent")) is not None:
        kind = Kind.ERROR if said.get("enforcementLevel") == "mandatory" else Kind.WARNING
        return [Line(kind, f"policy {said.get('policyName')}: {_plain(said.get('message', ''))}")]
    return []


def _diagnostic(said: Event) -> list[Line]:
    text, urn, severity = _plain(said.get("message", "")), said.get("urn") or "", said["severity"]
    if said.get("ephemeral") or severity == "debug" or text.lstrip().startswith(_PROVIDER_S_OWN):
        return []
    if severity == "error":
        hook = _HOOK.match(text)
        ours = not urn or _type(urn).startswith(_WORDS_OF_OURS)
        named = text if ours else f"{_name(urn)}: {text}"
        return [Line(Kind.ERROR, text[hook.end() :] if hook else named)]
    return [Line(Kind.WARNING if severity == "warning" else Kind.INFO, text)]


def _tell(progress: Progress, lines: Sequence[Line]) -> tuple[Progress, list[Line]]:
    """Leave out what is empty, what was shown before, and what only repeats that it failed."""
    told, shown = set(progress.told), []
    for line in lines:
        failed = any(one.kind is Kind.ERROR for one in told)
        idle = line.kind is Kind.ERROR and failed and _CLOSING.fullmatch(line.text)
        if line.text and line not in told and not idle:
            shown.append(line)
            told.add(line)
    failed = progress.failed or any(line.kind is Kind.ERROR for line in shown)
    return replace(progress, told=frozenset(told), failed=failed), shown


def _plain(message: str) -> str:
    """The message without what colours text or steers a terminal, and without blank lines."""
    lines = (line.rstrip() for line in _STEERING.sub("", message).splitlines())
    return "\n".join(line for line in lines if line)


def _without(urns: Sequence[str], urn: str) -> tuple[str, ...]:
    return tuple(one for one in urns if one != urn)


def _is_live(urn: str) -> bool:
    return _type(urn) == STASH and urn.endswith(_LIVE)


def _type(urn: str) -> str:
    """`docker:index/container:Container` of `urn:pulumi:test::shop::parent$docker:…::shop-web`."""
    types, _, _ = urn.partition("::")[2].partition("::")[2].partition("::")
    return types.rsplit("$", 1)[-1]


def _name(urn: str) -> str:
    return urn.split("::", 3)[-1]
