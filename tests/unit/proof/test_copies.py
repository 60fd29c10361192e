import pytest

from slipway.proof.copies import map_folders

from .support import BASE, entry, link, mapped, places

FROM = f"FROM {BASE}\n"
APP = ("app/__init__.py", "app/main.py")


# --- what is not followed is said, and nothing is claimed of it ------------------------------


def test_file_that_no_copy_takes_is_left_out_with_the_reason() -> None:
    found = mapped(f"{FROM}COPY app /srv/app\n", *APP, "README.md", "Dockerfile")
    assert found.left_out == {
        "the Dockerfile copies it to no place in the image": ("Dockerfile", "README.md")
    }


@pytest.mark.parametrize(
    ("copy", "reason"),
    [
        (
            "COPY app $NOWHERE_KNOWN/app",
            "line 3 copies to $NOWHERE_KNOWN/app, which depends on what only the build knows",
        ),
        ("COPY $WHAT /srv/app", "line 3 copies what a variable says whose value is not known"),
        ("COPY ${WHAT#a} /srv/app", "line 3 copies what a variable says whose value is not known"),
        ("COPY --parents app /srv/", "line 3 has --parents, which is not followed"),
        ("COPY --exclude=*.md app /srv/", "line 3 has --exclude, which is not followed"),
    ],
)
def test_copy_that_cannot_be_followed_is_told_by_its_line(copy: str, reason: str) -> None:
    # What the base of another stage sets is known to nobody.
    stages = f"FROM {BASE} AS build\nARG BUILDARCH\n{copy}\nFROM {BASE}\nCOPY --from=build /x /x\n"
    assert mapped(stages, *APP).left_out[reason] == APP


def test_archive_that_is_unpacked_is_not_compared() -> None:
    found = mapped(f"{FROM}ADD data.tar.gz notes.txt /srv/\n", "data.tar.gz", "notes.txt")
    assert [e.path for e in found.expected] == ["/srv/notes.txt"]
    assert found.left_out == {"line 2 unpacks it": ("data.tar.gz",)}


def test_relative_place_in_a_stage_whose_base_is_elsewhere_is_not_guessed() -> None:
    found = mapped(
        f"FROM {BASE} AS build\nCOPY app app\nFROM {BASE}\nCOPY --from=build /app /app\n", *APP
    )
    assert found.expected == ()
    assert list(found.left_out) == [
        "line 2 copies to app, which depends on what only the build knows"
    ]


def test_text_without_a_stage_puts_nothing_anywhere() -> None:
    assert places("# nothing\n", *APP) == {}


# --- sources and destinations ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("copy", "place"),
    [
        ("COPY app/main.py /srv/", "/srv/main.py"),
        ("COPY app/main.py /srv/start.py", "/srv/start.py"),
        ("COPY app/main.py ./", "/work/main.py"),
        ("COPY app/main.py .", "/work/main.py"),
        ("COPY app/main.py start.py", "/work/start.py"),
        ("COPY app/main.py /tmp", "/tmp/main.py"),
        ("COPY app/main.py /work", "/work/main.py"),
        ("COPY /app/../app/main.py /srv/", "/srv/main.py"),
        ("COPY ../app/main.py /srv/", "/srv/main.py"),
        ("COPY --chown=1:1 --chmod=755 --link app/main.py /srv/", "/srv/main.py"),
        ('COPY ["app/main.py", "/srv/a folder/"]', "/srv/a folder/main.py"),
        ('COPY --chown=1:1 ["app/main.py", "/srv/"]', "/srv/main.py"),
        ("COPY app/m*.py /srv/", "/srv/main.py"),
        ("COPY */main.py /srv/", "/srv/main.py"),
        ("COPY app/[a-m]ain.p? /srv/", "/srv/main.py"),
        ("COPY app/[^a-l]ain.py /srv/", "/srv/main.py"),
        ("copy app/main.py \\\n  /srv/", "/srv/main.py"),
        ("ADD app/main.py /srv/", "/srv/main.py"),
        ("COPY app /srv/code", "/srv/code/main.py"),
        ("COPY app/ /srv/code/", "/srv/code/main.py"),
        ("COPY ./app ./", "/work/main.py"),
        ("COPY . .", "/work/app/main.py"),
        ("COPY . /", "/app/main.py"),
        ("COPY a* /srv/", "/srv/main.py"),
    ],
)
def test_file_is_expected_where_docker_copies_it(copy: str, place: str) -> None:
    assert places(f"{FROM}WORKDIR /work\n{copy}\n", "app/main.py") == {place: "app/main.py"}


def test_file_goes_into_what_may_turn_out_to_be_a_folder() -> None:
    (file,) = mapped(f"{FROM}COPY main.py /srv/app\n", "main.py").expected
    assert (file.path, file.inside) == ("/srv/app", "/srv/app/main.py")


def test_several_sources_go_into_one_folder_each_with_its_own_content() -> None:
    assert places(f"{FROM}COPY a.txt lib web /srv/\n", "a.txt", "lib/b", "web/c/d") == {
        "/srv/a.txt": "a.txt",
        "/srv/b": "lib/b",
        "/srv/c/d": "web/c/d",
    }


def test_later_copy_counts() -> None:
    dockerfile = f"{FROM}COPY a.txt /srv/x\nCOPY b.txt /srv/x\n"
    assert places(dockerfile, "a.txt", "b.txt") == {"/srv/x": "b.txt"}


def test_link_in_a_folder_stays_a_link_and_one_that_is_named_is_followed() -> None:
    source = (link("now", "app/main.py"), link("app/old.py", "main.py"), "app/main.py")
    found = mapped(f"{FROM}COPY app /srv/app\nCOPY now /srv/start.py\n", *source)
    assert {e.path: (e.source, e.target) for e in found.expected} == {
        "/srv/app/main.py": ("app/main.py", None),
        "/srv/app/old.py": ("app/old.py", "main.py"),
        "/srv/start.py": ("app/main.py", None),
    }


def test_instruction_may_have_the_words_of_another_in_a_here_document() -> None:
    dockerfile = f"{FROM}RUN <<EOF\nCOPY app /elsewhere\nEOF\nCOPY <<TEXT /srv/app/x\nhello\nTEXT\n"
    assert places(f"{dockerfile}COPY app /srv/app\n", "app/main.py") == {
        "/srv/app/main.py": "app/main.py"
    }


# --- variables -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "build", "place"),
    [
        ("ENV HOME=/srv\nCOPY main.py $HOME/", {}, "/srv/main.py"),
        ("ENV HOME /srv/a b\nCOPY main.py ${HOME}/", {}, "/srv/a b/main.py"),
        ("ARG AT=/srv\nCOPY main.py $AT/", {}, "/srv/main.py"),
        ("ARG AT=/srv\nCOPY main.py $AT/", {"args": {"AT": "/opt/app"}}, "/opt/app/main.py"),
        ("ARG AT\nENV AT=/env\nCOPY main.py $AT/", {"args": {"AT": "/arg"}}, "/env/main.py"),
        ("COPY main.py ${AT:-/srv}/", {}, "/srv/main.py"),
        ("ENV A=1\nCOPY main.py ${A:+/srv}/", {}, "/srv/main.py"),
        ("COPY main.py /srv/\\$AT/", {}, "/srv/$AT/main.py"),
        ("ARG TARGETARCH\nCOPY main.py /srv/$TARGETARCH/", {}, "/srv/amd64/main.py"),
        ("WORKDIR /srv\nWORKDIR app\nCOPY main.py ./", {}, "/srv/app/main.py"),
        ("COPY main.py ./", {"workdir": "/base"}, "/base/main.py"),
        ("COPY main.py $ROOT/", {"environment": {"ROOT": "/base"}}, "/base/main.py"),
    ],
)
def test_place_is_known_where_its_variables_are(
    lines: str, build: dict[str, object], place: str
) -> None:
    assert places(f"{FROM}{lines}\n", "main.py", **build) == {place: "main.py"}


def test_argument_before_the_first_stage_is_known_in_those_that_declare_it() -> None:
    dockerfile = f"ARG AT=/srv\n{FROM}ARG AT\nCOPY main.py $AT/\n"
    assert places(dockerfile, "main.py") == {"/srv/main.py": "main.py"}


# --- stages ----------------------------------------------------------------------------------

STAGES = f"""\
FROM {BASE} AS Base
WORKDIR /srv
COPY lib lib
FROM {BASE} AS build
COPY app /src/app
RUN make
FROM base AS web
COPY --from=build /src/app/main.py /src/app ./app/
FROM base AS worker
COPY app/main.py ./
"""


def test_stage_has_what_it_is_built_on_and_what_it_copies_from_others() -> None:
    found = mapped(STAGES, "app/main.py", "app/x/y.py", "lib/a.py", target="web")
    assert {e.path: (e.source, e.line, e.changed) for e in found.expected} == {
        "/srv/app/main.py": ("app/main.py", 8, 6),
        "/srv/app/x/y.py": ("app/x/y.py", 8, 6),
        "/srv/lib/a.py": ("lib/a.py", 3, None),
    }


@pytest.mark.parametrize("target", [None, "worker", "3"])
def test_last_stage_is_built_unless_another_is_named(target: str | None) -> None:
    assert places(STAGES, "app/main.py", "lib/a.py", target=target) == {
        "/srv/lib/a.py": "lib/a.py",
        "/srv/main.py": "app/main.py",
    }


def test_stage_is_found_by_its_number() -> None:
    dockerfile = f"FROM {BASE}\nCOPY app /a\nFROM scratch\nCOPY --from=0 /a /b\n"
    assert places(dockerfile, "app/main.py") == {"/b/main.py": "app/main.py"}


def test_further_context_goes_before_a_stage_of_its_name() -> None:
    dockerfile = f"FROM {BASE} AS build\nCOPY app /a\nFROM {BASE}\nCOPY --from=build /a /a\n"
    assert places(dockerfile, "app/main.py", additional_contexts={"build": "/elsewhere"}) == {}


def test_what_a_later_step_may_have_changed_is_known() -> None:
    dockerfile = (
        f"{FROM}COPY app /srv/app\nCOPY web /srv/web\nCOPY --from=node /dist /srv/web\n"
        "RUN make\nCOPY late.py /srv/\n"
    )
    found = mapped(dockerfile, "app/main.py", "web/x.js", "late.py")
    assert {e.source: e.changed for e in found.expected} == {
        "app/main.py": 5,
        "web/x.js": 4,
        "late.py": None,
    }


# --- what a user maps ------------------------------------------------------------------------


def test_folders_and_files_are_where_the_user_says_and_no_others_are_compared() -> None:
    entries = tuple(map(entry, ["app/a.py", "app/b/c.py", "run.sh", "x.md"]))
    found = map_folders(entries, {"app": "/srv/app/", "run.sh": "/usr/local/bin/"})
    assert {e.path: e.source for e in found.expected} == {
        "/srv/app/a.py": "app/a.py",
        "/srv/app/b/c.py": "app/b/c.py",
        "/usr/local/bin/run.sh": "run.sh",
    }
    assert found.left_out == {"proof.files does not name it": ("x.md",)}


def test_whole_context_may_be_mapped() -> None:
    found = map_folders((entry("main.py"),), {"": "/srv"})
    assert [e.path for e in found.expected] == ["/srv/main.py"]


# --- what is fetched -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("copies", "fetched"),
    [
        ("COPY app /srv/app", ("/srv/app",)),
        ("COPY app /srv/app\nCOPY run.sh /srv/", ("/srv",)),
        ("COPY run.sh /usr/local/bin/", ("/usr/local/bin/run.sh",)),
        ("COPY . /", ("/app", "/run.sh")),
    ],
)
def test_folders_that_the_application_shares_are_not_fetched_as_a_whole(
    copies: str, fetched: tuple[str, ...]
) -> None:
    assert mapped(f"{FROM}{copies}\n", "app/main.py", "run.sh").fetched == fetched


def test_compiled_files_beside_a_single_file_are_fetched_too() -> None:
    found = mapped(f"{FROM}COPY main.py /opt/\n", "main.py")
    assert found.shared_caches == ("/opt/__pycache__",)
