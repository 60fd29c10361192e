"""Files of a real folder; nothing is said of their lines."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from slipway.key_lines import KeyLines
from slipway.mounted_files import Mounted, UploadedFile, collect
from slipway.services import BindMount, Project

KEY = "stack key"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder, below one that is not the project's."""
    found = tmp_path / "shop"
    found.mkdir()
    return found


def bind(source: object, target: str = "/etc/app.conf", **more: Any) -> dict[str, Any]:
    return {"type": "bind", "source": str(source), "target": target, "bind": {}, **more}


def collected(
    folder: Path,
    web: dict[str, Any],
    variables: dict[str, str] | None = None,
    hidden: dict[str, str] | None = None,
    **top: Any,
) -> tuple[Mounted, list[str]]:
    """What the service web mounts, and what is wrong, without the folder's path.

    Args:
        folder: of the project.
        web: keys of the service.
        variables: of the stack's configuration.
        hidden: the stack's secrets.
        top: keys of the project.
    """
    file = folder / "compose.yaml"
    services = {"web": {"name": "web", "image": "x", **web}}
    values = {"name": "shop", "file": str(file), "services": services, **top}
    project = Project.model_validate(values)
    lines = KeyLines(Path(os.devnull))
    found, problems = collect(project, lines, variables or {}, hidden or {})
    shown = [p.removeprefix(f"{os.devnull}:1 ").replace(str(folder), "…") for p in problems]
    return found["web"], shown


def mounted(folder: Path, *mounts: dict[str, Any], **web: Any) -> tuple[Mounted, list[str]]:
    return collected(folder, {"volumes": list(mounts), **web})


# --- files of the project -------------------------------------------------------------------


def test_file_of_the_project_is_uploaded(folder: Path) -> None:
    (folder / "app.conf").write_text("a = 1\n")
    assert mounted(folder, bind(folder / "app.conf")) == (
        Mounted((UploadedFile("/etc/app.conf", b"a = 1\n", "0644"),)),
        [],
    )


def test_program_of_the_project_stays_one(folder: Path) -> None:
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o700)
    found, _ = mounted(folder, bind(folder / "run.sh", "/run.sh"))
    assert found.files == (UploadedFile("/run.sh", b"#!/bin/sh\n", "0755"),)


def test_file_beside_the_project_s_folder_is_uploaded_too(folder: Path) -> None:
    """A compose file that stands in a folder of its own, such as `deploy/`."""
    (folder.parent / "app.conf").write_text("a")
    found, problems = mounted(folder, bind(folder.parent / "app.conf"))
    assert (found.files[0].content, problems) == (b"a", [])


def test_folder_that_is_read_only_is_uploaded_file_by_file(folder: Path) -> None:
    (folder / "conf/sites").mkdir(parents=True)
    (folder / "conf/nginx.conf").write_text("n")
    (folder / "conf/sites/b.conf").write_text("b")
    (folder / "conf/sites/a.conf").write_text("a")
    assert mounted(folder, bind(folder / "conf", "/etc/nginx/", read_only=True)) == (
        Mounted(
            (
                UploadedFile("/etc/nginx/nginx.conf", b"n", "0644"),
                UploadedFile("/etc/nginx/sites/a.conf", b"a", "0644"),
                UploadedFile("/etc/nginx/sites/b.conf", b"b", "0644"),
            )
        ),
        [],
    )


@pytest.mark.parametrize(
    ("files", "size", "told"),
    [
        (100, 1, None),
        (101, 1, "./conf holds 101 files with 101 bytes"),
        (1, 1 << 20, None),
        (2, 1 << 19, None),
        (1, (1 << 20) + 1, "./conf holds 1 files with 1,048,577 bytes"),
    ],
)
def test_folder_that_is_too_much_for_configuration_is_refused(
    folder: Path, files: int, size: int, told: str | None
) -> None:
    (folder / "conf").mkdir()
    for number in range(files):
        (folder / f"conf/{number}").write_bytes(b"x" * size)
    found, problems = mounted(folder, bind(folder / "conf", read_only=True))
    if told is None:
        assert (len(found.files), problems) == (files, [])
    else:
        assert problems == [
            f"services.web.volumes.0: {told}, which is too much to put into a container as "
            "configuration; bake it into the image"
        ]


def test_folder_that_may_be_written_is_refused_as_data(folder: Path) -> None:
    (folder / "data").mkdir()
    (_, (problem,)) = mounted(folder, bind(folder / "data", "/data"))
    assert problem.startswith(
        "services.web.volumes.0: ./data is a folder of this checkout, and data does not live "
        "there; use a named volume, or an absolute path of the Docker host"
    )


@pytest.mark.parametrize("read_only", [True, False])
def test_source_that_would_hide_the_image_s_is_refused(folder: Path, read_only: bool) -> None:
    (folder / "app/deep").mkdir(parents=True)
    (folder / "app/deep/main.py").write_text("")
    hides = (
        "hides /app of the image, so that other code than the released would run; remove it here "
        "(for development it can stand in a compose.override.yaml)"
    )
    mounts = [bind(path, "/app", read_only=read_only) for path in (folder / "app", folder)]
    assert mounted(folder, *mounts) == (
        Mounted(),
        [f"services.web.volumes.0: ./app {hides}", f"services.web.volumes.1: . {hides}"],
    )


def test_build_context_would_hide_the_image_s_whatever_it_holds(folder: Path) -> None:
    (folder / "site").mkdir()
    web = {"build": {"context": str(folder / "site")}, "volumes": [bind(folder / "site", "/srv")]}
    (_, (problem,)) = collected(folder, web)
    assert problem.startswith("services.web.volumes.0: ./site hides /srv of the image")


def test_file_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "app.conf").write_text("a")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (_, (problem,)) = mounted(folder, bind(folder / "app.conf"))
    assert problem == (
        "services.web.volumes.0: …/app.conf cannot be read ([Errno 13] Permission denied: "
        "'…/app.conf')"
    )


def test_files_of_several_mounts_are_in_the_order_of_the_file(folder: Path) -> None:
    for name in ("b", "a"):
        (folder / name).write_text(name)
    volume = {"type": "volume", "source": "data", "target": "/data"}
    found, _ = mounted(folder, bind(folder / "b", "/b"), volume, bind(folder / "a", "/a"))
    assert [file.path for file in found.files] == ["/b", "/a"]


# --- paths of the host ----------------------------------------------------------------------


@pytest.mark.parametrize("source", ["/srv/shop/media", "/etc/localtime"])
def test_path_outside_the_project_is_the_host_s(folder: Path, source: str) -> None:
    mount = bind(source, "/media", read_only=True)
    assert mounted(folder, mount) == (Mounted(host_paths=(BindMount(**mount),)), [])


def test_folder_beside_the_project_is_the_host_s(folder: Path) -> None:
    (folder.parent / "media").mkdir()
    found, problems = mounted(folder, bind(folder.parent / "media", "/media"))
    assert ([path.source for path in found.host_paths], problems) == (
        [str(folder.parent / "media")],
        [],
    )


@pytest.mark.parametrize("socket", ["/var/run/docker.sock", "/run/docker.sock"])
def test_docker_s_socket_is_refused_unless_allowed_by_name(folder: Path, socket: str) -> None:
    found, problems = mounted(folder, bind(socket, socket))
    assert problems == [
        f"services.web.volumes.0: {socket} gives the container the whole host; remove it, or write "
        "x-slipway: {allow: [docker.sock]} if that is meant"
    ]
    allowed = {"x-slipway": {"allow": ["docker.sock"]}}
    assert mounted(folder, bind(socket, socket), **allowed) == (found, [])
    assert [path.source for path in found.host_paths] == [socket]


# --- secrets and configs --------------------------------------------------------------------


def test_secrets_and_configs_are_uploaded_from_every_source(folder: Path) -> None:
    (folder / "cert.pem").write_bytes(b"\x00pem")
    references = {
        "secrets": [
            {"source": "cert"},
            {"source": "token", "target": "api_token", "mode": 0o400},
            {"source": "password", "target": "/run/db/password", "mode": "0440"},
        ],
        "configs": [{"source": "nginx", "target": "/etc/nginx.conf"}, {"source": "motd"}],
    }
    top = {
        "secrets": {
            "cert": {"file": str(folder / "cert.pem")},
            "token": {"environment": "API_TOKEN"},
            "password": {"external": True},
        },
        "configs": {"nginx": {"content": "worker;"}, "motd": {"environment": "MOTD"}},
    }
    found = collected(
        folder, references, {"MOTD": "hello"}, {"API_TOKEN": "t0ken", "password": "hunter2"}, **top
    )
    assert found == (
        Mounted(
            (
                UploadedFile("/run/secrets/cert", b"\x00pem", "0444", secret=True),
                UploadedFile("/run/secrets/api_token", b"t0ken", "0400", secret=True),
                UploadedFile("/run/db/password", b"hunter2", "0440", secret=True),
                UploadedFile("/etc/nginx.conf", b"worker;", "0444"),
                UploadedFile("/motd", b"hello", "0444"),
            )
        ),
        [],
    )


def test_external_secret_is_found_under_the_name_that_it_has_elsewhere(folder: Path) -> None:
    web = {"secrets": [{"source": "password"}]}
    top = {"secrets": {"password": {"external": True, "name": "DB_PASSWORD"}}}
    found, _ = collected(folder, web, hidden={"DB_PASSWORD": "hunter2"}, **top)
    assert [file.content for file in found.files] == [b"hunter2"]


def test_secret_of_the_stack_goes_before_a_variable_of_the_same_name(folder: Path) -> None:
    web = {"configs": [{"source": "c"}]}
    top = {"configs": {"c": {"environment": "A"}}}
    found, _ = collected(folder, web, {"A": "variable"}, {"A": "secret"}, **top)
    assert [file.content for file in found.files] == [b"secret"]


def test_secrets_and_configs_that_have_no_content_are_told_together(folder: Path) -> None:
    web = {
        "secrets": [{"source": "gone"}, {"source": "file"}, {"source": "TOKEN"}],
        "configs": [{"source": "gone"}, {"source": "c"}],
    }
    top = {
        "secrets": {"file": {"file": str(folder / "no.pem")}, "TOKEN": {"external": True}},
        "configs": {"c": {"environment": "NO"}},
    }
    command = "run pulumi config set --stack <stack> --secret --path slipway:secrets"
    assert collected(folder, web, **top) == (
        Mounted(),
        [
            "services.web.secrets.0: gone is not declared under secrets",
            "secrets.file: …/no.pem cannot be read (No such file or directory)",
            f"secrets.TOKEN: TOKEN has no value; {command}.TOKEN <value>",
            "services.web.configs.0: gone is not declared under configs",
            f"configs.c: NO has no value; {command}.NO <value>",
        ],
    )


def test_empty_content_is_a_content(folder: Path) -> None:
    top = {"configs": {"c": {"content": ""}}}
    found, problems = collected(folder, {"configs": [{"source": "c"}]}, **top)
    assert (found.files, problems) == ((UploadedFile("/c", b"", "0444"),), [])


def test_files_cannot_be_put_into_a_file_system_that_is_read_only(folder: Path) -> None:
    (folder / "app.conf").write_text("a")
    (_, problems) = mounted(folder, bind(folder / "app.conf"), read_only=True)
    assert problems == [
        "services.web.read_only: files cannot be put into a container whose file system is "
        "read-only (/etc/app.conf); remove read_only, or bake the file into the image"
    ]
    assert mounted(folder, bind("/srv/media"), read_only=True)[1] == []


# --- what is uploaded -----------------------------------------------------------------------


def test_identity_of_a_file_is_its_content_s_and_a_secret_s_cannot_be_tried_out() -> None:
    plain = UploadedFile("/a", b"hunter2")
    secret = UploadedFile("/a", b"hunter2", secret=True)
    assert (
        plain.identity(KEY) == plain.identity("another") == hashlib.sha256(b"hunter2").hexdigest()
    )
    assert secret.identity(KEY) == UploadedFile("/b", b"hunter2", secret=True).identity(KEY)
    assert len({secret.identity(KEY), secret.identity("another"), plain.identity(KEY)}) == 3


def test_content_is_handed_over_as_base64_and_not_printed() -> None:
    file = UploadedFile("/a", b"\x00hunter2")
    assert file.encoded == "AGh1bnRlcjI="
    assert "hunter2" not in repr(file)


# --- data, and code, that a copy or the checkout would take the place of ---------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("db.sqlite3", b""),
        ("app.db", b"anything"),
        ("data", b"SQLite format 3\0 and pages"),
        ("access.log", b"a line\n"),
        ("acme.json", b"{}"),
    ],
)
def test_file_that_is_written_to_is_not_copied_into_containers(
    folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    found, problems = mounted(folder, bind(folder / name, "/app/data"))
    assert found == Mounted()
    assert len(problems) == 1
    assert "would be copied into each new container" in problems[0]


def test_data_that_is_only_read_is_copied(folder: Path) -> None:
    (folder / "cities.db").write_bytes(b"SQLite format 3\0")
    found, problems = mounted(folder, bind(folder / "cities.db", "/cities.db", read_only=True))
    assert ([file.path for file in found.files], problems) == (["/cities.db"], [])


def test_context_above_the_compose_file_hides_no_image(folder: Path) -> None:
    (folder / "docker").mkdir()
    web = {"build": {"context": str(folder)}, "image": None}
    volumes = [bind(folder, "/app")]
    found, problems = collected(folder / "docker", {**web, "volumes": volumes})
    assert found == Mounted()
    assert "hides /app of the image" in problems[0]


def test_way_through_a_link_is_the_same_as_the_way_itself(folder: Path, tmp_path: Path) -> None:
    (folder / "app.py").write_text("print('hello')\n")
    link = tmp_path / "link"
    link.symlink_to(folder)
    web = {"build": {"context": str(link)}, "image": None, "volumes": [bind(link, "/app")]}
    found, problems = collected(link, web)
    assert found == Mounted()
    assert "hides /app of the image" in problems[0]
