"""The part of the comment that is read: what changes and why, in a section for each stack."""

from collections.abc import Iterator, Sequence

from slipway.explain.comparison import RELEASE_COMMAND_RUNS
from slipway.explain.model import (
    Change,
    Command,
    Commit,
    Explanation,
    FileChanges,
    ServiceChange,
    SourceImage,
    Status,
)
from slipway.markdown import cleaned, code, fenced, plain
from slipway.preview.losses import Loss, losses
from slipway.preview.model import StackPreview

_MOST = 10
"""Files, settings and the like of one service that are named."""
_MOST_ITEMS = 30
"""Lines of one list."""
_ERROR_LINES = 40
_ERROR_WIDTH = 500
_COMMIT = 12
_DIGEST = 19
_VALUE = 60
_SENTENCE = 500


def section(preview: StackPreview) -> str:
    """The section of a stack, without its diff."""
    found = preview.explanation
    gone = losses(preview.steps)
    blocks = [f"### {code(preview.stack)}: {_verdict(preview, gone)}"]
    if preview.error is not None:
        blocks += ["`pulumi preview` ended with:", fenced(_end_of(preview.error))]
    if found is not None:
        blocks += [_against(found), *_listed("", [plain(note) for note in found.notes])]
    if preview.unexplained is not None:
        blocks += ["Which files and settings change is not known:"]
        blocks += [fenced(_end_of(preview.unexplained))]
    if found is not None:
        blocks += [*_services(found), *_images(found.images, found), *_commands(found.commands)]
        blocks += _listed("Volumes and networks", [_setting(one) for one in found.project])
    blocks += _listed("Deleted or replaced", [_lost(loss) for loss in gone])
    blocks += _listed("Warnings", [code(one, _SENTENCE) for one in preview.warnings])
    return "\n\n".join(blocks)


def _verdict(preview: StackPreview, gone: Sequence[Loss]) -> str:
    if preview.error is not None:
        return "❌ the preview failed"
    if preview.unexplained is not None:
        return "⚠️ the preview is not complete"
    found = preview.explanation
    changing = [one for one in _of(found) if one.status is not Status.UNCHANGED]
    images = [one for one in found.images if not one.digest and one.known] if found else []
    grave = _count(sum(loss.grave for loss in gone), "resource")
    parts = [
        _changes(changing, "service"),
        f"{_count(len(images), 'image')} to build" if images else "",
        f"{_count(len(found.commands), 'command')} to run" if found and found.commands else "",
        f"⚠️ {grave} deleted or replaced" if grave else "",
    ]
    if not any(parts):
        parts = [_changes(preview.steps, "resource")]
    return ", ".join(part for part in parts if part) or "nothing changes"


def _of(found: Explanation | None) -> Sequence[ServiceChange]:
    return found.services if found else ()


def _changes(items: Sequence[object], what: str) -> str:
    return f"{_count(len(items), what)} change{'s' * (len(items) == 1)}" if items else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}" if number else ""


def _against(found: Explanation) -> str:
    if found.release is None:
        return "No release serves yet."
    made = f", from commit {code(found.commit[:_COMMIT])}" if found.commit else ""
    return f"Release {found.release} serves, of {code(found.time or '')}{made}."


def _services(found: Explanation) -> Iterator[str]:
    built = {name for one in found.images if one.known and not one.digest for name in one.services}
    changing = [one for one in found.services if one.status is not Status.UNCHANGED]
    items = ["\n".join(_service(one, built=one.service in built)) for one in changing]
    same = [code(one.service) for one in found.services if one.status is Status.UNCHANGED]
    yield from _listed("Services", items)
    if same and changing:
        yield f"Unchanged: {_joined(same)}"


def _service(one: ServiceChange, *, built: bool) -> Iterator[str]:
    yield f"{code(one.service)}: {_becomes(one, built=built)}"
    if one.files is not None and one.status is not Status.NEW:
        yield from (f"  - {line}" for line in _files(one.files))
    for title, changes in (("built from", one.recipe), ("settings", one.settings)):
        if changes:
            yield f"  - {title}: {_joined([_setting(change) for change in changes])}"
    shown = one.commits[:_MOST]
    yield from (f"  - {_commit(commit)}" for commit in shown)
    if len(one.commits) > len(shown):
        yield f"  - and {len(one.commits) - len(shown)} more commits"
    yield from (f"  - {plain(note)}" for note in one.notes if note != RELEASE_COMMAND_RUNS)


def _becomes(one: ServiceChange, *, built: bool) -> str:
    if one.status is Status.REMOVED:
        return "**is taken away**"
    image = "an image that is to be built" if built else "another image"
    if one.status is Status.NEW:
        return f"new, with {'an image that is to be built' if built else 'an image'}"
    if one.image[0] == one.image[1]:
        kept = "a new container" if one.new_container else "the container stays, the gate looks"
        return f"the same image, {kept}"
    return f"a new container with {image}"


def _files(found: FileChanges) -> Iterator[str]:
    changed = [_with_mode(path, found) for path in found.changed]
    lists = {"changed": changed}
    lists |= {"added": [code(path) for path in found.added]}
    lists |= {"removed": [code(path) for path in found.removed]}
    yield from (f"{what}: {_joined(paths)}" for what, paths in lists.items() if paths)


def _with_mode(path: str, found: FileChanges) -> str:
    return code(path) + (f" (mode {plain(found.modes[path])})" if path in found.modes else "")


def _setting(change: Change) -> str:
    key, before, after = code(change.key), change.before, change.after
    if before is None:
        return f"{key} comes: {code(after or '', _VALUE)}"
    if after is None:
        return f"{key} goes"
    if before == after:
        return key
    return f"{key}: {code(before, _VALUE)} → {code(after, _VALUE)}"


def _commit(commit: Commit) -> str:
    back = ", which what serves has and the source has not" if commit.taken_back else ""
    what = f"commit {code(commit.id[:_COMMIT])}: {code(commit.subject)}"
    return f"{what}, by {code(commit.author)}{back}"


def _images(images: Sequence[SourceImage], found: Explanation) -> Iterator[str]:
    changing = {one.service for one in found.services if one.status is not Status.UNCHANGED}
    items = [
        f"{_image(one)}, for {_joined([code(name) for name in one.services])}"
        for one in images
        if changing.intersection(one.services) or (one.known and not one.digest)
    ]
    yield from _listed("Images", items)


def _image(image: SourceImage) -> str:
    name = image.name.rpartition("/")[2]
    if image.digest:
        digest = f"{name.partition(':')[0]}@{image.digest[:_DIGEST]}"
        return f"there already: {code(digest)}"
    return f"{'to build' if image.known else 'not known whether it is there'}: {code(name)}"


def _commands(commands: Sequence[Command]) -> list[str]:
    items = [f"{code(one.service)}: {_command(one)}" for one in commands]
    return _listed("Migrations and other commands that run first", items)


def _command(one: Command) -> str:
    shown = code(one.command) if one.command else "what its image runs"
    return shown if one.release else f"{shown} (a service that runs to its end)"


def _lost(loss: Loss) -> str:
    return f"{'⚠️ ' * loss.grave}{plain(loss.kind)} {code(loss.name)}: {loss.consequence}"


def _listed(title: str, items: Sequence[str]) -> list[str]:
    """A list below its title; nothing where it is empty."""
    if not items:
        return []
    lines = [f"- {item}" for item in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        lines.append(f"- and {len(items) - _MOST_ITEMS} more")
    return [*([f"**{title}**"] if title else []), "\n".join(lines)]


def _joined(items: Sequence[str]) -> str:
    more = f" and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return ", ".join(items[:_MOST]) + more


def _end_of(error: str) -> str:
    lines = [cleaned(line.expandtabs())[:_ERROR_WIDTH] for line in error.strip().splitlines()]
    return "\n".join(lines[-_ERROR_LINES:])
