import io
import tarfile
from collections.abc import Iterator

import pytest

from slipway.mounted_files import UploadedFile
from slipway.proof.archive import Stream, first_file, packed, read_tree
from slipway.proof.files import SAMPLE, Found

from .support import sha


def archive(*members: tuple[str, bytes, str]) -> bytes:
    """An archive of name, kind and content or target."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as made:
        for name, kind, text in members:
            member = tarfile.TarInfo(name)
            member.type, member.mtime = kind, 100
            content = text.encode() if kind == tarfile.REGTYPE else b""
            member.size, member.linkname = len(content), "" if content else text
            made.addfile(member, io.BytesIO(content))
    return data.getvalue()


def chunks(data: bytes, size: int = 700) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))
    yield b""


def read(data: bytes, path: str, **wanted: str) -> dict[str, Found]:
    return dict(read_tree(Stream(chunks(data)), path, wanted))


TREE = archive(
    ("app", tarfile.DIRTYPE, ""),
    ("app/main.py", tarfile.REGTYPE, "x = 1\n"),
    ("app/same.py", tarfile.LNKTYPE, "app/main.py"),
    ("app/now", tarfile.SYMTYPE, "main.py"),
    ("app/pipe", tarfile.FIFOTYPE, ""),
    ("app/a.pyc", tarfile.REGTYPE, "0123456789abcdefmore"),
)


def test_archive_is_read_from_its_beginning_to_its_end_whatever_its_chunks() -> None:
    file = Found("file", content=sha("x = 1\n"), size=6, mtime=100)
    assert read(TREE, "/srv/app") == {
        "/srv/app": Found("folder"),
        "/srv/app/main.py": file,
        "/srv/app/same.py": file,
        "/srv/app/now": Found("link", target="main.py"),
        "/srv/app/pipe": Found("other"),
        "/srv/app/a.pyc": Found(
            "file",
            content=sha("0123456789abcdefmore"),
            size=20,
            mtime=100,
            head=b"0123456789abcdef",
        ),
    }


def test_what_stands_behind_a_link_is_named_after_the_link() -> None:
    data = archive(("./", tarfile.DIRTYPE, ""), ("./main.py", tarfile.REGTYPE, "x"))
    assert list(read(data, "/srv/now")) == ["/srv/now", "/srv/now/main.py"]


@pytest.mark.parametrize(
    ("text", "wanted", "sample"),
    [
        ("old", sha("new"), b"old"),
        ("new", sha("new"), None),
        ("x" * (SAMPLE + 1), sha("new"), None),
    ],
)
def test_only_short_files_that_differ_are_kept(
    text: str, wanted: str, sample: bytes | None
) -> None:
    data = archive(("main.py", tarfile.REGTYPE, text))
    (found,) = dict(read_tree(Stream([data]), "/main.py", {"/main.py": wanted})).values()
    assert found.sample == sample


def test_first_file_is_read_and_a_folder_is_none() -> None:
    assert first_file(Stream([archive(("passwd", tarfile.REGTYPE, "root"))])) == b"root"
    assert first_file(Stream([TREE])) is None


def test_uploaded_files_are_packed_with_their_permissions() -> None:
    files = [UploadedFile("/run/secrets/token", b"secret", "0400")]
    with tarfile.open(fileobj=io.BytesIO(packed(files))) as made:
        (member,) = made.getmembers()
        content = made.extractfile(member)
        assert content is not None
        assert (member.name, member.mode, content.read()) == ("run/secrets/token", 0o400, b"secret")
