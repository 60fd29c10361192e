from collections.abc import Mapping
from pathlib import Path

import pytest

from slipway.errors import ConfigError, RegistryError
from slipway.pin import Edit, Finding, carry_out, find_unpinned, plan_edits
from slipway.reference import ImageReference

from .support import BASE, DIGEST, OTHER_DIGEST, write_files

COMPOSE = """\
# The shop.
services:
  web:
    build: .   # with its own Dockerfile
  worker:
    build: {context: ., dockerfile: worker/Dockerfile, args: {BASE: "debian:12"}}
  cache:
    image: "redis:7"  # not 8 yet
  db:
    image: postgres:16@DIGEST
  other:
    image: ${IMAGE:-busybox}
""".replace("DIGEST", DIGEST)
DOCKERFILE = """\
ARG PYTHON=python:3.11
FROM node:22 AS assets
FROM ${PYTHON}
COPY --from=assets /a /a
COPY --from=node:22-slim /b /b
"""
WORKER = "ARG BASE\nFROM $BASE\nFROM python:${VERSION:-3.12}\n"
NOT_LITERAL = (
    "does not stand on this line in one piece; pin it by hand where its variables are set or its "
    "line goes on"
)
VARIABLE = "holds a variable; pin the image where the variable is set"


@pytest.fixture
def compose_file(tmp_path: Path) -> Path:
    files = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "worker/Dockerfile": WORKER}
    write_files(tmp_path, files)
    return tmp_path / "compose.yaml"


def always(reference: ImageReference) -> str:
    return DIGEST


def look_up(reference: ImageReference) -> str | None:
    """A registry that knows every image but those called `unknown`."""
    if reference.repository.endswith("unknown"):
        return None
    return OTHER_DIGEST if reference.repository.endswith("other") else DIGEST


def pin(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    """What the files hold after pinning; there are no others."""
    write_files(root, files)
    carry_out(plan_edits(find_unpinned(root / "compose.yaml"), look_up))
    return {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}


def refused(root: Path, files: Mapping[str, str]) -> list[str]:
    """Why pinning is refused, without the root's path; the files stay as they are."""
    write_files(root, files)
    with pytest.raises(ConfigError) as refusal:
        carry_out(plan_edits(find_unpinned(root / "compose.yaml"), look_up))
    assert {name: (root / name).read_text() for name in files} == files
    return [problem.replace(f"{root}/", "") for problem in refusal.value.problems]


def test_finds_every_image_that_is_not_pinned(compose_file: Path) -> None:
    folder = compose_file.parent

    found = [(f.file, f.line, f.image, f.editable) for f in find_unpinned(compose_file)]
    assert found == [
        (folder / "Dockerfile", 2, "node:22", True),
        (folder / "Dockerfile", 1, "python:3.11", True),
        (folder / "Dockerfile", 5, "node:22-slim", True),
        (compose_file, 6, "debian:12", True),
        (folder / "worker/Dockerfile", 3, "python:3.12", False),
        (compose_file, 8, "redis:7", True),
        (compose_file, 12, "${IMAGE:-busybox}", False),
    ]


def test_pins_in_place_and_keeps_everything_else(compose_file: Path) -> None:
    folder = compose_file.parent
    compose_file.chmod(0o640)
    findings = [finding for finding in find_unpinned(compose_file) if finding.editable]

    carry_out(plan_edits(findings, always))

    assert compose_file.read_text() == COMPOSE.replace("redis:7", f"redis:7@{DIGEST}").replace(
        "debian:12", f"debian:12@{DIGEST}"
    )
    assert (folder / "Dockerfile").read_text() == (
        DOCKERFILE.replace("python:3.11", f"python:3.11@{DIGEST}")
        .replace("node:22 ", f"node:22@{DIGEST} ")
        .replace("node:22-slim", f"node:22-slim@{DIGEST}")
    )
    assert compose_file.stat().st_mode & 0o777 == 0o640
    assert [f.image for f in find_unpinned(compose_file) if f.editable] == []
    assert not list(folder.glob(".*"))


def test_nothing_is_planned_where_one_image_cannot_be_pinned(compose_file: Path) -> None:
    findings = [
        Finding(compose_file, 8, "redis:7"),
        Finding(compose_file, 12, "${IMAGE}", editable=False),
        Finding(compose_file, 13, "gone:1"),
    ]

    with pytest.raises(ConfigError) as refusal:
        plan_edits(findings, lambda ref: None if ref.repository == "library/gone" else DIGEST)

    assert refusal.value.problems == (
        f"{compose_file}:12 ${{IMAGE}}: {VARIABLE}",
        f"{compose_file}:13 gone:1: its registry has no such image; correct the name or the tag",
    )


def test_edit_reads_as_what_it_does() -> None:
    edit = Edit(Finding(Path("compose.yaml"), 8, "redis:7"), f"redis:7@{DIGEST}")

    assert str(edit) == f"compose.yaml:8 redis:7 -> redis:7@{DIGEST}"


@pytest.mark.parametrize("args", ["[BASE=debian:12]", '{OTHER: "1", BASE: debian:12}'])
def test_argument_is_pinned_in_either_notation(tmp_path: Path, args: str) -> None:
    compose = f"services:\n  web:\n    build:\n      context: .\n      args: {args}\n"
    write_files(tmp_path, {"compose.yaml": compose, "Dockerfile": "ARG BASE\nFROM $BASE\n"})
    file = tmp_path / "compose.yaml"

    carry_out(plan_edits(find_unpinned(file), always))

    assert file.read_text() == compose.replace("debian:12", f"debian:12@{DIGEST}")


@pytest.mark.parametrize(
    ("files", "unreadable"),
    [
        ({}, "compose.yaml"),
        ({"compose.yaml": "a: ["}, "compose.yaml"),
        ({"compose.yaml": "services: {web: {build: app}}"}, "app/Dockerfile"),
    ],
)
def test_file_that_cannot_be_read_is_named(
    tmp_path: Path, files: dict[str, str], unreadable: str
) -> None:
    write_files(tmp_path, files)

    with pytest.raises(ConfigError) as refusal:
        find_unpinned(tmp_path / "compose.yaml")

    (problem,) = refusal.value.problems
    assert problem.startswith(f"{tmp_path}/{unreadable}: cannot be read: ")


@pytest.mark.parametrize("text", ["", "services:\n", "services:\n  web:\n"])
def test_file_without_images_has_none_to_pin(tmp_path: Path, text: str) -> None:
    write_files(tmp_path, {"compose.yaml": text})

    assert find_unpinned(tmp_path / "compose.yaml") == []


def test_ends_of_lines_stay(tmp_path: Path) -> None:
    compose = b"services:\r\n  web:\r\n    image: redis:7\r\n    init: true"
    file = tmp_path / "compose.yaml"
    file.write_bytes(compose)

    carry_out(plan_edits(find_unpinned(file), always))

    assert file.read_bytes() == compose.replace(b"redis:7", b"redis:7@" + DIGEST.encode())


def test_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    write_files(tmp_path, {"shared/base.yaml": "services: {web: {image: redis:7}}\n"})
    link = tmp_path / "compose.yaml"
    link.symlink_to("shared/base.yaml")

    carry_out(plan_edits(find_unpinned(link), always))

    assert link.is_symlink()
    assert link.read_text() == f"services: {{web: {{image: redis:7@{DIGEST}}}}}\n"


def test_an_image_whose_name_begins_like_another_is_pinned_apart(tmp_path: Path) -> None:
    line = "RUN --mount=from={},target=/n --mount=from={},target=/m node server.js\n"
    files = {
        "compose.yaml": "services: {web: {build: .}}\n",
        "Dockerfile": "FROM node:22-slim\n" + line.format("node:22", "node"),
    }

    assert pin(tmp_path, files)["Dockerfile"] == (
        f"FROM node:22-slim@{DIGEST}\n" + line.format(f"node:22@{DIGEST}", f"node@{DIGEST}")
    )


def test_images_on_one_line_are_each_pinned(tmp_path: Path) -> None:
    text = "services: {a: {image: redis}, b: {image: other:1}, c: {image: redis}}\n"

    assert pin(tmp_path, {"compose.yaml": text}) == {
        "compose.yaml": f"services: {{a: {{image: redis@{DIGEST}}}, "
        f"b: {{image: other:1@{OTHER_DIGEST}}}, c: {{image: redis@{DIGEST}}}}}\n"
    }


@pytest.mark.parametrize(
    "text",
    [
        "services: {redis: {image: redis@}}\n",
        "services: {image: {image: image@}}\n",
        'services: {web: {"image":redis@}}\n',
        "services: {web: {labels: {a: my/redis:7, b: redis:7.2, c: redis:7}, image: redis:7@}}\n",
    ],
)
def test_what_only_looks_like_the_image_stays(tmp_path: Path, text: str) -> None:
    assert pin(tmp_path, {"compose.yaml": text.replace("@", "")}) == {
        "compose.yaml": text.replace("@", f"@{DIGEST}")
    }


@pytest.mark.parametrize(
    "text",
    [
        "x-base: &base {image: redis:7}\nservices:\n  web: *base\n  worker: *base\n",
        "x-base: &base\n  image: redis:7\nservices:\n  web: {<<: *base, init: true}\n",
        "x-image: &image redis:7\nservices: {web: {image: *image}}\n",
    ],
)
def test_an_image_behind_an_anchor_is_pinned_at_the_anchor(tmp_path: Path, text: str) -> None:
    assert pin(tmp_path, {"compose.yaml": text}) == {
        "compose.yaml": text.replace("redis:7", f"redis:7@{DIGEST}")
    }


@pytest.mark.parametrize("default", ["", "=redis:7", "=python", f"=redis:7@{DIGEST}"])
@pytest.mark.parametrize(
    "args",
    [
        "{BASE: python@}",
        "{VERSION: 1, BASE: 'python@'}",
        '["BASE=python@", OTHER]',
        "[VERSION=1, BASE=python@]",
    ],
)
def test_an_argument_of_the_compose_file_is_pinned_there_whatever_the_default(
    tmp_path: Path, args: str, default: str
) -> None:
    compose = f"services: {{web: {{build: {{context: ., args: {args}}}}}}}\n"
    dockerfile = f"ARG BASE{default}\nFROM ${{BASE}}\n"
    files = {"compose.yaml": compose.replace("@", ""), "Dockerfile": dockerfile}

    assert pin(tmp_path, files) == {
        "compose.yaml": compose.replace("@", f"@{DIGEST}"),
        "Dockerfile": dockerfile,
    }


@pytest.mark.parametrize("args", ["{python: python@}", "[python=python@]"])
def test_an_argument_that_is_called_like_its_image_is_no_image(tmp_path: Path, args: str) -> None:
    compose = f"services: {{web: {{build: {{context: ., args: {args}}}}}}}\n"
    dockerfile = "ARG python\nFROM ${python}\n"
    files = {"compose.yaml": compose.replace("@", ""), "Dockerfile": dockerfile}

    assert pin(tmp_path, files) == {
        "compose.yaml": compose.replace("@", f"@{DIGEST}"),
        "Dockerfile": dockerfile,
    }


def test_an_argument_that_names_no_base_stays(tmp_path: Path) -> None:
    compose = "services: {web: {build: {context: ., args: {TEST_ON: python:3.11}}}}\n"
    files = {"compose.yaml": compose, "Dockerfile": "FROM python:3.11\nARG TEST_ON\n"}

    assert pin(tmp_path, files) == {
        "compose.yaml": compose,
        "Dockerfile": f"FROM python:3.11@{DIGEST}\nARG TEST_ON\n",
    }


@pytest.mark.parametrize(
    "line", ["ARG BASE=python@", 'arg BASE="python@"', "ARG BASE='python@' ", "ARG python=python@"]
)
def test_a_default_of_the_dockerfile_is_pinned_there(tmp_path: Path, line: str) -> None:
    name = "python" if "ARG python" in line else "BASE"
    dockerfile = f"{line}\nFROM ${name}\n"
    compose = "services: {web: {build: .}}\n"
    files = {"compose.yaml": compose, "Dockerfile": dockerfile.replace("@", "")}

    assert pin(tmp_path, files) == {
        "compose.yaml": compose,
        "Dockerfile": dockerfile.replace("@", f"@{DIGEST}"),
    }


def test_a_dockerfile_of_two_services_is_edited_once(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {web: {build: .}, worker: {build: {context: .}}}\n",
        "Dockerfile": "FROM python:3.11\n",
    }

    assert pin(tmp_path, files)["Dockerfile"] == f"FROM python:3.11@{DIGEST}\n"


def test_what_is_pinned_stays(tmp_path: Path) -> None:
    files = {
        "compose.yaml": f"services: {{web: {{build: .}}, worker: {{image: '{BASE}'}}}}\n",
        "Dockerfile": f"FROM {BASE} AS a\nFROM scratch\nCOPY --from=a /a /a\n",
    }
    write_files(tmp_path, files)

    assert find_unpinned(tmp_path / "compose.yaml") == []


def test_variables_and_unknown_images_are_refused_together(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n"
        "  cache: {image: 'redis:${VERSION:-7}'}\n"
        "  queue: {image: unknown:1}\n"
        "  search: {image: redis:7}\n"
        "  web: {build: .}\n",
        "Dockerfile": "ARG VERSION=3.11\n\nFROM python:${VERSION}\n",
    }

    assert refused(tmp_path, files) == [
        f"compose.yaml:2 redis:${{VERSION:-7}}: {VARIABLE}",
        "compose.yaml:3 unknown:1: its registry has no such image; correct the name or the tag",
        f"Dockerfile:3 python:3.11: {NOT_LITERAL}",
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"compose.yaml": "services:\n  web:\n    image: >-\n      redis:7\n"},
        {
            "compose.yaml": "services: {web: {build: .}}\n",
            "Dockerfile": f"FROM {BASE}\n\nRUN --network=none \\\n  --mount=from=redis:7 true\n",
        },
    ],
)
def test_what_stands_on_another_line_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    assert refused(tmp_path, files) == [f"{list(files)[-1]}:3 redis:7: {NOT_LITERAL}"]


def test_what_is_no_reference_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, {"compose.yaml": "services: {web: {image: 'Redis 7'}}\n"}) == [
        'compose.yaml:1 Redis 7: "Redis 7" is not an image reference; '
        "write repository:tag@sha256:<64 hex digits>"
    ]


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile"])
def test_file_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {"compose.yaml": "services: {web: {build: .}}\n", "Dockerfile": ""})
    (tmp_path / name).write_bytes(b"# caf\xe9\n")

    with pytest.raises(ConfigError) as refusal:
        find_unpinned(tmp_path / "compose.yaml")

    assert refusal.value.problems == (f"{tmp_path}/{name}:1 is not UTF-8 text; save it as UTF-8",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a]", "compose.yaml:1: is a list, not a mapping; write services: {web: {image: …}}"),
        (
            "name: a\nservices: [a]",
            "compose.yaml:2 services: is a list, not a mapping; write web: {image: …}",
        ),
        (
            "services:\n  web: redis",
            "compose.yaml:2 services.web: is a single value, not a mapping; write web: {image: …}",
        ),
        (
            "services:\n  web:\n    build: [.]",
            "compose.yaml:3 services.web.build: is a list, not a mapping; "
            "write build: {context: .}",
        ),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert refused(tmp_path, {"compose.yaml": text}) == [problem]


@pytest.mark.parametrize(
    "args", ["{BASE: '${PYTHON:-python:3.11}'}", '["BASE=${PYTHON:-python:3.11}"]']
)
def test_argument_that_holds_a_variable_is_refused(tmp_path: Path, args: str) -> None:
    files = {
        "compose.yaml": f"services:\n  web:\n    build:\n      context: .\n      args: {args}\n",
        "Dockerfile": "ARG BASE=python:3.12\nFROM ${BASE}\n",
    }

    assert refused(tmp_path, files) == [f"compose.yaml:5 ${{PYTHON:-python:3.11}}: {VARIABLE}"]


def test_an_image_is_pinned_as_often_as_its_line_names_it(tmp_path: Path) -> None:
    line = "RUN --mount=from=node:22@,target=/n --mount=from=node:22@,target=/m true\n"
    files = {
        "compose.yaml": "services: {web: {build: .}, worker: {build: .}}\n",
        "Dockerfile": "FROM node@ AS node\n" + line,
    }
    unpinned = {name: text.replace("@", "") for name, text in files.items()}

    assert pin(tmp_path, unpinned) == {
        name: text.replace("@", f"@{DIGEST}") for name, text in files.items()
    }


def test_registry_that_cannot_be_reached_is_told_with_the_image(tmp_path: Path) -> None:
    write_files(tmp_path, {"compose.yaml": "services:\n  web: {image: redis:7}\n"})
    file = tmp_path / "compose.yaml"

    def unreachable(reference: ImageReference) -> str:
        raise RegistryError("the registry docker.io cannot be reached")

    with pytest.raises(RegistryError) as refusal:
        plan_edits(find_unpinned(file), unreachable)

    assert str(refusal.value) == f"{file}:2 redis:7: the registry docker.io cannot be reached"


def test_image_that_a_sibling_builds_is_not_looked_up(tmp_path: Path) -> None:
    compose = "services: {web: {build: ., image: shop}, worker: {image: shop}}\n"
    write_files(tmp_path, {"compose.yaml": compose, "Dockerfile": f"FROM {BASE}\n"})

    assert find_unpinned(tmp_path / "compose.yaml") == []


def test_image_that_bootstrap_provides_needs_no_pin(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text("services:\n  web:\n    image: ${SLIPWAY_PYTHON_IMAGE:?run bootstrap}\n")
    pinned = f"localhost:5000/slipway/python@sha256:{'a' * 64}"

    assert find_unpinned(file, {"SLIPWAY_PYTHON_IMAGE": pinned}) == []
    assert [found.line for found in find_unpinned(file, {})] == [3]
    assert [found.line for found in find_unpinned(file, {"SLIPWAY_PYTHON_IMAGE": "python"})] == [3]


# --- where the images stand -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["include: [app/base.yaml]\n", ""], ids=["included", "extended"])
def test_images_of_a_file_that_belongs_to_it_are_pinned_there(tmp_path: Path, how: str) -> None:
    base = "services:\n  app:\n    build: .\n  cache:\n    image: redis:7\n"
    extends = "{extends: {file: app/base.yaml, service: app}}"
    compose = how or f"services:\n  web: {extends}\n"
    files = {
        "compose.yaml": compose,
        "app/base.yaml": base,
        "app/Dockerfile": "FROM python:3.12\n",
    }

    assert pin(tmp_path, files) == {
        "compose.yaml": compose,
        "app/base.yaml": base.replace("redis:7", f"redis:7@{DIGEST}"),
        "app/Dockerfile": f"FROM python:3.12@{DIGEST}\n",
    }


def test_dockerfile_of_an_included_file_may_be_in_the_first_one_s_folder(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [{path: infra/more.yaml, project_directory: .}]\n",
        "infra/more.yaml": "services: {app: {build: .}, other: {build: elsewhere}}\n",
        "Dockerfile": "FROM python:3.12\n",
    }
    assert pin(tmp_path, files)["Dockerfile"] == f"FROM python:3.12@{DIGEST}\n"


def test_dockerfile_of_an_included_file_may_be_in_the_folder_that_is_named(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "include: [{path: infra/more.yaml, project_directory: app}]\n",
        "infra/more.yaml": "services: {app: {build: .}}\n",
        "app/Dockerfile": "FROM python:3.12\n",
    }
    assert pin(tmp_path, files)["app/Dockerfile"] == f"FROM python:3.12@{DIGEST}\n"


def test_argument_that_a_variable_gives_its_value_is_not_passed_over(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  web:\n    build:\n      context: .\n      args: [BASE]\n",
        "Dockerfile": "ARG BASE\nFROM $BASE\n",
        ".env": "BASE=python:3.12\n",
    }
    assert refused(tmp_path, files) == [
        "compose.yaml:5 python:3.12: does not stand on this line in one piece; pin it by hand "
        "where its variables are set or its line goes on"
    ]


@pytest.mark.parametrize(
    "build",
    [
        '{context: "${CTX:-.}", dockerfile: "${DF:-Dockerfile}"}',
        '"${HERE}"',
        '{dockerfile: "${SLIPWAY_FILE}"}',
    ],
)
def test_dockerfile_that_variables_name_is_found_where_they_have_a_value(
    tmp_path: Path, build: str
) -> None:
    files = {
        "compose.yaml": f"services:\n  web:\n    build: {build}\n",
        "Dockerfile": "FROM python:3.12\n",
        ".env": "HERE=.\n",
    }
    write_files(tmp_path, files)
    (found,) = find_unpinned(tmp_path / "compose.yaml", {"SLIPWAY_FILE": "Dockerfile"})
    assert (found.file, found.image) == (tmp_path / "Dockerfile", "python:3.12")


@pytest.mark.parametrize(
    ("build", "place", "key", "usual"),
    [
        ("${CTX}", 3, "context", "."),
        ("{dockerfile: $CTX}", 3, "dockerfile", "Dockerfile"),
        ("\n      context: ${CTX}/app", 4, "context", "."),
    ],
)
def test_dockerfile_that_a_variable_without_a_value_names_is_refused(
    tmp_path: Path, build: str, place: int, key: str, usual: str
) -> None:
    files = {"compose.yaml": f"services:\n  web:\n    build: {build}\n"}
    assert refused(tmp_path, files) == [
        f"compose.yaml:{place} build.{key}: CTX has no value here, so that the Dockerfile is not "
        f"found; give it a default, ${{CTX:-{usual}}}, or pin the images of the Dockerfile by hand"
    ]


def test_dockerfile_that_stands_in_the_compose_file_keeps_no_other_from_being_pinned(
    tmp_path: Path,
) -> None:
    compose = (
        "services:\n  web:\n    build: {context: ., dockerfile_inline: FROM python:3.12}\n"
        "  cache: {image: redis:7}\n"
    )
    assert pin(tmp_path, {"compose.yaml": compose}) == {
        "compose.yaml": compose.replace("redis:7", f"redis:7@{DIGEST}")
    }


def test_dockerfile_of_a_service_that_extends_another_may_be_the_other_s(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  web:\n    extends: {file: app/base.yaml, service: app}\n"
        "    build: {target: run}\n",
        "app/base.yaml": "services: {app: {build: .}}\n",
        "app/Dockerfile": "FROM python:3.12 AS run\n",
    }
    assert pin(tmp_path, files)["app/Dockerfile"] == f"FROM python:3.12@{DIGEST} AS run\n"
