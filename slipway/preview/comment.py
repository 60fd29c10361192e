"""The comment in a pull request: one section a stack, its diff folded, all within the host's limit.

Its first line marks it, so that whoever posts it finds the one of the run before.
"""

import re
from collections.abc import Sequence
from html import escape

from slipway.markdown import cleaned, fenced
from slipway.preview.model import StackPreview
from slipway.preview.summary import section

MARKER = "<!-- slipway-preview -->"
LIMIT = 65_536
"""Characters that GitHub takes in a comment."""
_TITLE = "## Preview of this pull request"
_CHANGED = re.compile(r"( *)(\+-|-\+|\+\+|--|[-+~])(?= ?\S)")
_SIGNS = {"~": "!", "+-": "!", "-+": "!", "++": "+", "--": "-"}
_UNSTABLE = re.compile(r"Duration: ")
"""What differs between two previews of the same."""


def comment(previews: Sequence[StackPreview], limit: int = LIMIT) -> str:
    """The whole comment.

    Args:
        previews: of the stacks, in their order, without secrets.
        limit: how many characters it may have, at least 1,000.
    """
    head = "\n\n".join([MARKER, _TITLE])
    sections = [section(preview) for preview in previews]
    diffs = [_diff_lines(preview.diff) for preview in previews]
    folds = [_length(_fold(one, diff)) for one, diff in zip(previews, diffs, strict=True) if diff]
    texts = [_room(diff) for diff in diffs]
    reserve = _length(_left_out(10**6)) + 2
    used = sum(_length(part) + 2 for part in (head, *sections))
    used += sum(folds) - sum(texts) + len(folds) * reserve
    if used > limit:
        return _trimmed([head, *sections], limit)
    parts, rooms = [head], _shared(texts, limit - used)
    for preview, text, diff, room in zip(previews, sections, diffs, rooms, strict=True):
        parts += [text, *([_fold(preview, diff, room)] if diff else [])]
    return "\n\n".join(parts) + "\n"


def _diff_lines(diff: str) -> list[str]:
    lines = [_marked(cleaned(line.expandtabs()).rstrip()) for line in diff.splitlines()]
    kept = [line for line in lines if not _UNSTABLE.match(line)]
    return "\n".join(kept).strip("\n").splitlines()


def _marked(line: str) -> str:
    """The line with its sign in the first column, where a diff is coloured by it."""
    match = _CHANGED.match(line)
    if match is None:
        return line
    sign = _SIGNS.get(match[2], match[2])
    return sign + line[1:] if match[1] or sign != match[2][:1] else line


def _fold(preview: StackPreview, diff: Sequence[str], room: int | None = None) -> str:
    """The diff behind a line that opens it; the empty lines are Markdown's, inside of HTML."""
    kept = diff if room is None else _fitting(diff, room)
    left_out = len(diff) - len(kept)
    body = [*kept, *([_left_out(left_out)] if left_out else [])]
    lines = f"{len(diff)} line{'s' * (len(diff) != 1)}"
    title = f"Full diff of {escape(cleaned(preview.stack))}, {lines}"
    block = fenced("\n".join(body), "diff")
    return f"<details><summary>{title}</summary>\n\n{block}\n\n</details>"


def _room(lines: Sequence[str]) -> int:
    return sum(_length(line) + 1 for line in lines)


def _left_out(count: int) -> str:
    what = "1 line is" if count == 1 else f"{count} lines are"
    return f"{what} left out here: the comment would be too long"


def _shared(wants: Sequence[int], room: int) -> list[int]:
    """Room for each: the small get what they want, the large share the rest."""
    rooms, left = [0] * len(wants), room
    order = sorted(range(len(wants)), key=wants.__getitem__)
    for position, index in enumerate(order):
        rooms[index] = min(wants[index], left // (len(order) - position))
        left -= rooms[index]
    return rooms


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    kept = []
    for line in lines:
        room -= _length(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _trimmed(parts: Sequence[str], limit: int) -> str:
    """The sections alone, as far as they go."""
    lines = "\n\n".join(parts).splitlines()
    kept = _fitting(lines, limit - _length(_left_out(len(lines))) - 20)
    return "\n".join(kept) + f"\n\n{_left_out(len(lines) - len(kept))}; so are the diffs.\n"


def _length(text: str) -> int:
    """Characters as the host counts them at most: one beyond the basic plane counts twice."""
    return len(text.encode("utf-16-le")) // 2
