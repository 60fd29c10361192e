"""An explanation as people and programs read it."""

from collections.abc import Iterator, Sequence
from typing import Any

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

VERSION = 1
NOTHING = "nothing: the same digest will run"
_MOST_LINES = 40
"""Files of a service that are shown to people; programs get all."""
_LONGEST = 100
"""Characters of a value that are shown to people."""


def document(found: Explanation) -> dict[str, Any]:
    """The explanation as JSON holds it: absent keys, never null."""
    head = {"release": found.release, "time": found.time, "commit": found.commit}
    return {
        "version": VERSION,
        "stack": found.stack,
        **{key: value for key, value in head.items() if value is not None},
        "services": {one.service: _service(one) for one in found.services},
        **_given(
            project=[_change(one) for one in found.project],
            notes=list(found.notes),
            images=[_image(one) for one in found.images],
            commands=[_command(one) for one in found.commands],
        ),
    }


def _service(one: ServiceChange) -> dict[str, Any]:
    image = {"before": one.image[0], "after": one.image[1]}
    return {
        "status": str(one.status),
        "new_container": one.new_container,
        "image": {key: value for key, value in image.items() if value is not None},
        **({} if one.files is None else {"files": _files(one.files)}),
        **_given(
            build=[_change(change) for change in one.recipe],
            settings=[_change(change) for change in one.settings],
            commits=[_commit(commit) for commit in one.commits],
            notes=list(one.notes),
        ),
    }


def _given(**lists: list[Any]) -> dict[str, list[Any]]:
    return {name: found for name, found in lists.items() if found}


def _files(found: FileChanges) -> dict[str, Any]:
    lists = {"changed": found.changed, "added": found.added, "removed": found.removed}
    modes = {"modes": dict(found.modes)} if found.modes else {}
    return {**{name: list(paths) for name, paths in lists.items()}, **modes}


def _change(change: Change) -> dict[str, str]:
    values = {"key": change.key, "before": change.before, "after": change.after}
    return {name: value for name, value in values.items() if value is not None}


def _commit(commit: Commit) -> dict[str, Any]:
    taken_back = {"taken_back": True} if commit.taken_back else {}
    return {"id": commit.id, "author": commit.author, "subject": commit.subject, **taken_back}


def _image(image: SourceImage) -> dict[str, Any]:
    status = "built" if image.digest else "to build" if image.known else "not known"
    digest = {"digest": image.digest} if image.digest else {}
    return {"name": image.name, "services": list(image.services), "status": status, **digest}


def _command(one: Command) -> dict[str, Any]:
    return {"service": one.service, "command": one.command, "release": one.release}


def text(found: Explanation) -> str:
    """The explanation for a terminal."""
    lines = [_title(found), *_project(found.project), *found.notes]
    for one in found.services:
        lines.append(f"{one.service}: {headline(one)}")
        lines += [f"  {line}" for line in _body(one)]
    return "\n".join(lines)


def markdown(found: Explanation) -> str:
    """The explanation as a page, fit for a pull request."""
    lines = [f"## {_title(found)}", ""]
    lines += [f"- {note}" for note in found.notes]
    for title, body in _sections(found):
        lines += ["", f"### {title}"]
        if body:
            # More tildes than any path is likely to have, so that none ends the block.
            lines += ["", "~~~~~~diff", *(_as_diff(line) for line in body), "~~~~~~"]
    return "\n".join(lines)


def _sections(found: Explanation) -> Iterator[tuple[str, Sequence[str]]]:
    if found.project:
        yield "volumes and networks", _project(found.project)
    for one in found.services:
        yield f"{one.service}: {headline(one)}", list(_body(one))


def _as_diff(line: str) -> str:
    """What differs without being added or removed is marked as a diff marks it."""
    return f"!{line[1:]}" if line.startswith("~") else line


def _title(found: Explanation) -> str:
    if found.release is None:
        return f"{found.stack}: no release serves; all of the source would be new"
    made = f", from commit {found.commit[:12]}" if found.commit else ""
    return f"{found.stack}: release {found.release} ({found.time}{made}) against the source"


def headline(one: ServiceChange) -> str:
    """What becomes of a service, in a line."""
    if one.status is Status.UNCHANGED:
        return NOTHING
    if one.status is Status.REMOVED:
        return "is taken away"
    before, after = one.image
    image = f"image {_short(after)}" if after else "an image that is not built yet"
    if one.status is Status.NEW:
        return f"new, {image}"
    if before == after:
        kept = "a new container" if one.new_container else "the container stays; the gate looks"
        return f"the same digest, {kept}"
    return f"{image} instead of {_short(before or '')}"


def _body(one: ServiceChange) -> Iterator[str]:
    if one.files is not None:
        lines = [*_file_lines(one.files)]
        yield from lines[:_MOST_LINES]
        if len(lines) > _MOST_LINES:
            yield f"  and {len(lines) - _MOST_LINES} more files; --json has them all"
    yield from (_line(change) for change in (*one.recipe, *one.settings))
    for commit in one.commits:
        back = " (what serves has it, the source has not)" if commit.taken_back else ""
        yield f"* {commit.id[:12]} {commit.subject} ({commit.author}){back}"
    yield from (f"* {note}" for note in one.notes)


def _file_lines(found: FileChanges) -> Iterator[str]:
    for path in found.changed:
        mode = f" (mode {found.modes[path]})" if path in found.modes else ""
        yield _clean(f"~ {path}{mode}")
    yield from (_clean(f"+ {path}") for path in found.added)
    yield from (_clean(f"- {path}") for path in found.removed)


def _project(changes: Sequence[Change]) -> list[str]:
    return [_line(change) for change in changes]


def _line(change: Change) -> str:
    before, after = (_cut(value) for value in (change.before, change.after))
    if before is None:
        return _clean(f"+ {change.key}: {after}")
    if after is None:
        return _clean(f"- {change.key}: {before}")
    # What is hidden, and the end of what is long, cannot be told apart.
    return _clean(f"~ {change.key}" + (f": {before} → {after}" if before != after else ""))


def _cut(value: str | None) -> str | None:
    return f"{value[:_LONGEST]}…" if value is not None and len(value) > _LONGEST else value


def _clean(line: str) -> str:
    """The line without what would steer a terminal or begin another one."""
    return "".join(c if c.isprintable() else "�" for c in line)


def _short(image: str) -> str:
    name, _, digest = image.partition("@")
    return f"{name.rpartition('/')[2]}@{digest[:19]}"
