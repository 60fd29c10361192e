from pathlib import Path

import pytest

from slipway.init.image import ImageFacts, image_facts

DOCKERFILE = """\
ARG PYTHON=python:3.12
FROM node:22 AS assets
CMD ["npm", "start"]
FROM ${PYTHON} AS base
ENTRYPOINT ["/entrypoint.sh"]
EXPOSE 8000/tcp 9000
HEALTHCHECK --interval=5s --timeout=3s CMD curl -f http://localhost:8000/health
FROM base AS production
COPY --from=assets /dist /dist
COPY --chown=app ./src pyproject.toml /app/
RUN python manage.py collectstatic --noinput
CMD gunicorn shop -b :8000
FROM base AS development
HEALTHCHECK NONE
CMD ["python", "manage.py", "runserver"]
"""


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path / "Dockerfile"


def test_stage_has_what_the_stages_below_it_have(dockerfile: Path) -> None:
    assert image_facts(dockerfile, "Production", {"PYTHON": "python:3.13"}) == ImageFacts(
        base="python:3.13",
        entrypoint=("/entrypoint.sh",),
        command=("/bin/sh", "-c", "gunicorn shop -b :8000"),
        health=("CMD-SHELL", "curl -f http://localhost:8000/health"),
        ports=(8000, 9000),
        collects_static=True,
        copied=(("./src", "/app/"), ("pyproject.toml", "/app/")),
    )


def test_last_stage_counts_where_none_is_named(dockerfile: Path) -> None:
    assert image_facts(dockerfile) == ImageFacts(
        base="python:3.12",
        entrypoint=("/entrypoint.sh",),
        command=("python", "manage.py", "runserver"),
        ports=(8000, 9000),
    )


@pytest.mark.parametrize(
    ("check", "health"),
    [
        ('CMD ["curl", "-f", "localhost"]', ("CMD", "curl", "-f", "localhost")),
        ("NONE", ()),
    ],
)
def test_health_check_is_read_as_docker_takes_it(
    tmp_path: Path, check: str, health: tuple[str, ...]
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(f"FROM python\nHEALTHCHECK {check}\n")

    assert image_facts(file).health == health


@pytest.mark.parametrize("text", [None, "", "# nothing\n"])
def test_dockerfile_without_a_stage_says_nothing(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "Dockerfile"
    if text is not None:
        file.write_text(text)

    assert image_facts(file) == ImageFacts()


def test_dockerfile_that_is_not_utf_8_is_looked_at_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"# caf\xe9\nFROM python\n")

    assert image_facts(file).base == "python"
