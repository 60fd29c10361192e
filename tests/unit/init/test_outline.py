from pathlib import Path

import pytest

from slipway.init.outline import Mount, Outline, Port, outline

from ..support import write_files


def outlined(root: Path, service: str, **files: str) -> Outline:
    text = f"services:\n  web:\n{service}"
    write_files(root, {"compose.yaml": text, **files})
    return outline(root / "compose.yaml", text)


def test_variables_are_filled_in_from_dotenv_and_defaults(tmp_path: Path) -> None:
    write_files(tmp_path, {".env": "# no\nexport TAG='7'\nPORT=80\nEMPTY=\n"})
    found = outlined(
        tmp_path,
        "    image: redis:${TAG}\n"
        "    command: run $$HOME ${A:-${PORT}} ${B-x} ${EMPTY:-y}$C\n"
        "    labels: {a: '${D:?needed}', b: '${SLIPWAY_IMAGE:?run bootstrap}'}\n"
        "    # ${COMMENT}\n",
    )

    assert found.services[0].image_name == "redis:7"
    assert found.services[0].command == ("run", "$HOME", "80", "x", "y")
    assert dict(found.unset) == {"C": 4, "D": 5}


@pytest.mark.parametrize(
    ("written", "port"),
    [
        ("- 8000", Port("8000", 4, 8000, "")),
        ("- '80:8000'", Port("80:8000", 4, 8000, "80")),
        ("- '127.0.0.1:80:8000/tcp'", Port("127.0.0.1:80:8000/tcp", 4, 8000, "80")),
        ("- '53:53/udp'", Port("53:53/udp", 4, 53, "53", udp=True)),
        ("- '${P:-80}:8000'", Port("${P:-80}:8000", 4, 8000, "80")),
        ("- '80-81:80-81'", Port("80-81:80-81", 4, None, "80-81")),
        ("- {target: 8000, published: '80'}", Port("80:8000", 4, 8000, "80")),
    ],
)
def test_ports_are_read_in_every_notation(tmp_path: Path, written: str, port: Port) -> None:
    found = outlined(tmp_path, f"    ports:\n      {written}\n")

    assert found.services[0].ports == (port,)


@pytest.mark.parametrize(
    ("written", "mount"),
    [
        ("- data:/data", Mount("data:/data", 4, "data", "/data", False)),
        ("- ./a:/a:ro,z", Mount("./a:/a:ro,z", 4, "./a", "/a", True)),
        ("- /data", Mount("/data", 4, "", "/data", False)),
        (
            "- {type: bind, source: ./a, target: /a, read_only: true}",
            Mount("./a:/a", 4, "./a", "/a", True),
        ),
    ],
)
def test_mounts_are_read_in_every_notation(tmp_path: Path, written: str, mount: Mount) -> None:
    found = outlined(tmp_path, f"    volumes:\n      {written}\n")

    assert found.services[0].mounts == (mount,)
    assert mount.is_path is (mount.source == "./a")


@pytest.mark.parametrize(
    ("check", "test"),
    [
        ("{test: curl x}", ("CMD-SHELL", "curl x")),
        ("{test: [CMD, curl, x]}", ("CMD", "curl", "x")),
        ("{test: [NONE]}", ()),
        ("{disable: true}", ()),
        ("{interval: 5s}", ("CMD-SHELL", "from the image")),
    ],
)
def test_health_check_comes_from_the_file_or_else_from_the_image(
    tmp_path: Path, check: str, test: tuple[str, ...]
) -> None:
    found = outlined(
        tmp_path,
        f"    build: .\n    healthcheck: {check}\n",
        Dockerfile="FROM python\nHEALTHCHECK CMD from the image\n",
    )

    assert found.services[0].health == test


@pytest.mark.parametrize(
    ("written", "command"),
    [
        ("", ("enter", "cmd")),
        ("    command: run it\n", ("enter", "run", "it")),
        ("    command: [run, it]\n", ("enter", "run", "it")),
        ("    command: it's\n", ("enter", "it's")),
        ("    entrypoint: other\n", ("other",)),
        ("    entrypoint: []\n    command: run\n", ("run",)),
    ],
)
def test_command_is_put_together_as_compose_does(
    tmp_path: Path, written: str, command: tuple[str, ...]
) -> None:
    dockerfile = 'FROM python\nENTRYPOINT ["enter"]\nCMD ["cmd"]\n'
    found = outlined(tmp_path, f"    build: .\n{written}", Dockerfile=dockerfile)

    assert found.services[0].command == command


def test_service_that_names_a_siblings_image_is_built_too(tmp_path: Path) -> None:
    found = outlined(
        tmp_path,
        "    build: .\n    image: shop\n  worker:\n    image: shop\n",
        Dockerfile='FROM python\nCMD ["serve"]\n',
    )

    assert [(s.name, s.context, s.command) for s in found.services] == [
        ("web", tmp_path, ("serve",)),
        ("worker", tmp_path, ("serve",)),
    ]


@pytest.mark.parametrize(("name", "slug"), [("My Shop!", "my-shop"), ("--", "app")])
def test_project_is_named_for_use_in_a_stack(tmp_path: Path, name: str, slug: str) -> None:
    assert outline(tmp_path / "compose.yaml", f"name: '{name}'\n").name == slug
