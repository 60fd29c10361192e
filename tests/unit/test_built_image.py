from pathlib import Path

import pytest

from slipway.built_image import BuiltImage, built_image, read_built_image, stages_of
from slipway.services import Build

SHELL = ("/bin/sh", "-c")
STAGES = """\
ARG KIND=production
FROM python AS base
HEALTHCHECK --interval=5s CMD curl -f http://localhost:8000/
VOLUME /data
ENTRYPOINT ["/entry.sh"]
CMD ["base"]
FROM base AS production
CMD ["gunicorn", "shop"]
FROM base AS development
HEALTHCHECK NONE
VOLUME /cache
CMD ["manage.py", "runserver"]
FROM ${KIND} AS last
"""
CHECK = ("CMD-SHELL", "curl -f http://localhost:8000/")
PRODUCTION = BuiltImage(("/entry.sh",), ("gunicorn", "shop"), CHECK, ("/data",))
DEVELOPMENT = BuiltImage(("/entry.sh",), ("manage.py", "runserver"), ("NONE",), ("/data", "/cache"))


# --- stages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "args", "image"),
    [
        ("production", {}, PRODUCTION),
        ("Development", {}, DEVELOPMENT),
        (None, {}, PRODUCTION),
        (None, {"KIND": "development"}, DEVELOPMENT),
        ("base", {}, BuiltImage(("/entry.sh",), ("base",), CHECK, ("/data",))),
    ],
)
def test_image_has_what_its_stage_and_those_below_it_say(
    target: str | None, args: dict[str, str | None], image: BuiltImage
) -> None:
    assert built_image(STAGES, target, args) == image


def test_stage_builds_on_the_nearest_one_above_it_that_has_the_name() -> None:
    text = "FROM a AS x\nVOLUME /a\nFROM b AS x\nVOLUME /b\nFROM x AS x\nVOLUME /c\n"

    assert [stage.base.text for stage in stages_of(text)] == ["b", "x"]
    assert built_image(text, "x").volumes == ("/b", "/c")


@pytest.mark.parametrize("text", ["", "# nothing\n", "RUN true\n", "FROM python\n"])
def test_dockerfile_that_says_nothing_leaves_the_word_to_the_base(text: str) -> None:
    assert built_image(text) == BuiltImage()


def test_dockerfile_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert read_built_image(Build(context=str(tmp_path))) == BuiltImage()


def test_build_is_read_with_its_target_and_arguments(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"# caf\xe9\n" + STAGES.encode())
    context = str(tmp_path)

    assert read_built_image(Build(context=context, target="development")) == DEVELOPMENT
    assert read_built_image(Build(context=context, args={"KIND": "development"})) == DEVELOPMENT


@pytest.mark.parametrize(("platforms", "folder"), [([], "/amd"), (["linux/arm64"], "/arm")])
def test_stage_may_be_chosen_by_the_platform(
    tmp_path: Path, platforms: list[str], folder: str
) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM a AS base-amd64\nVOLUME /amd\nFROM a AS base-arm64\nVOLUME /arm\n"
        "FROM base-${TARGETARCH}\n"
    )

    assert read_built_image(Build(context=str(tmp_path), platforms=platforms)).volumes == (folder,)


# --- instructions ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "entrypoint", "command"),
    [
        ('CMD ["gunicorn", "shop"]', None, ("gunicorn", "shop")),
        ("CMD gunicorn 'my shop'", None, (*SHELL, "gunicorn 'my shop'")),
        ('SHELL ["bash", "-ec"]\nCMD a', None, ("bash", "-ec", "a")),
        ('ENTRYPOINT ["/a.sh"]\nCMD ["b"]', ("/a.sh",), ("b",)),
        ('CMD ["b"]\nENTRYPOINT ["/a.sh"]', ("/a.sh",), ("b",)),
        ("ENTRYPOINT a\n", (*SHELL, "a"), ()),
        ("ENTRYPOINT []\n", (), ()),
        ("CMD one\nCMD two", None, (*SHELL, "two")),
        ('CMD ["broken', None, (*SHELL, '["broken')),
        ("CMD [1]", None, (*SHELL, "[1]")),
    ],
)
def test_image_starts_with_its_last_entrypoint_and_command(
    lines: str, entrypoint: tuple[str, ...] | None, command: tuple[str, ...] | None
) -> None:
    image = built_image(f"FROM a\n{lines}\n")

    assert (image.entrypoint, image.command) == (entrypoint, command)


def test_entrypoint_of_a_stage_takes_the_command_of_those_below_away() -> None:
    text = 'FROM a AS base\nCMD ["b"]\nFROM base\nENTRYPOINT ["/c.sh"]\n'

    assert built_image(text).command == ()


@pytest.mark.parametrize(
    ("line", "health"),
    [
        ("NONE", ("NONE",)),
        ("CMD curl  localhost", ("CMD-SHELL", "curl  localhost")),
        ('--interval=5s --retries=3 CMD ["curl", "localhost"]', ("CMD", "curl", "localhost")),
    ],
)
def test_health_check_is_as_docker_takes_it(line: str, health: tuple[str, ...]) -> None:
    image = built_image(f"FROM a\nHEALTHCHECK CMD true\nHEALTHCHECK {line}\n")

    assert image.health == health
    assert image.checked == (health != ("NONE",))


def test_image_without_a_health_check_is_not_checked() -> None:
    assert not built_image("FROM a\n").checked


def test_volumes_are_a_list_or_words_without_those_that_hold_a_variable() -> None:
    text = 'FROM a\nVOLUME ["/media", "/cache/"]\nVOLUME /data /log\nVOLUME $PLACE\n'

    assert built_image(text).volumes == ("/media", "/cache", "/data", "/log")
