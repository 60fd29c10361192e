from dataclasses import replace

from slipway.explain.model import Change, Commit, Explanation, FileChanges, ServiceChange, Status
from slipway.explain.views import document, markdown, text

OLD, NEW = (f"registry/shop@sha256:{letter * 64}" for letter in "ab")
WEB = ServiceChange(
    "web",
    Status.CHANGED,
    new_container=True,
    image=(OLD, NEW),
    files=FileChanges(("main.py", "run"), ("new.py",), ("old.py",), {"run": "644 → 755"}),
    recipe=(Change("dockerfile", "Dockerfile", "Dockerfile"),),
    settings=(Change("environment.A", None, "1"), Change("command", '["a"]', None),
              Change("x-slipway.drain", "5", "6")),
    commits=(Commit("c" * 40, "kim", "Mend it"), Commit("d" * 40, "kim", "Break it", True)),
    notes=("its release command will run",),
)  # fmt: skip
SAME = ServiceChange("worker", Status.UNCHANGED, image=(OLD, OLD))
FOUND = Explanation(
    "test", (WEB, SAME), 7, "2026-01-02", "e" * 40, (Change("volumes.data", None, "{}"),), ("Note",)
)


def test_text_has_a_section_for_each_service() -> None:
    assert text(FOUND).splitlines() == [
        "test: release 7 (2026-01-02, from commit eeeeeeeeeeee) against the source",
        "+ volumes.data: {}",
        "Note",
        "web: image shop@sha256:bbbbbbbbbbbb instead of shop@sha256:aaaaaaaaaaaa",
        "  ~ main.py",
        "  ~ run (mode 644 → 755)",
        "  + new.py",
        "  - old.py",
        "  ~ dockerfile",
        "  + environment.A: 1",
        '  - command: ["a"]',
        "  ~ x-slipway.drain: 5 → 6",
        "  * cccccccccccc Mend it (kim)",
        "  * dddddddddddd Break it (kim) (what serves has it, the source has not)",
        "  * its release command will run",
        "worker: nothing: the same digest will run",
    ]


def test_page_shows_what_differs_as_a_diff() -> None:
    page = markdown(replace(FOUND, services=(replace(WEB, commits=(), notes=()), SAME)))
    assert page.splitlines() == [
        "## test: release 7 (2026-01-02, from commit eeeeeeeeeeee) against the source",
        "",
        "- Note",
        "",
        "### volumes and networks",
        "",
        "~~~~~~diff",
        "+ volumes.data: {}",
        "~~~~~~",
        "",
        "### web: image shop@sha256:bbbbbbbbbbbb instead of shop@sha256:aaaaaaaaaaaa",
        "",
        "~~~~~~diff",
        "! main.py",
        "! run (mode 644 → 755)",
        "+ new.py",
        "- old.py",
        "! dockerfile",
        "+ environment.A: 1",
        '- command: ["a"]',
        "! x-slipway.drain: 5 → 6",
        "~~~~~~",
        "",
        "### worker: nothing: the same digest will run",
    ]


def test_document_has_all_of_it_and_no_null() -> None:
    assert document(FOUND) == {
        "version": 1,
        "stack": "test",
        "release": 7,
        "time": "2026-01-02",
        "commit": "e" * 40,
        "services": {
            "web": {
                "status": "changed",
                "new_container": True,
                "image": {"before": OLD, "after": NEW},
                "files": {
                    "changed": ["main.py", "run"],
                    "added": ["new.py"],
                    "removed": ["old.py"],
                    "modes": {"run": "644 → 755"},
                },
                "build": [{"key": "dockerfile", "before": "Dockerfile", "after": "Dockerfile"}],
                "settings": [
                    {"key": "environment.A", "after": "1"},
                    {"key": "command", "before": '["a"]'},
                    {"key": "x-slipway.drain", "before": "5", "after": "6"},
                ],
                "commits": [
                    {"id": "c" * 40, "author": "kim", "subject": "Mend it"},
                    {
                        "id": "d" * 40,
                        "author": "kim",
                        "subject": "Break it",
                        "taken_back": True,
                    },
                ],
                "notes": ["its release command will run"],
            },
            "worker": {
                "status": "unchanged",
                "new_container": False,
                "image": {"before": OLD, "after": OLD},
                "files": {"changed": [], "added": [], "removed": []},
            },
        },
        "project": [{"key": "volumes.data", "after": "{}"}],
        "notes": ["Note"],
    }


def test_files_that_are_not_known_are_not_said_to_be_none() -> None:
    found = document(replace(FOUND, services=(replace(WEB, files=None),)))
    assert "files" not in found["services"]["web"]


def test_headline_says_what_becomes_of_a_service() -> None:
    settings = replace(WEB, image=(OLD, OLD), files=FileChanges())
    variants = {
        "new, an image that is not built yet": ServiceChange("web", Status.NEW),
        "is taken away": ServiceChange("web", Status.REMOVED, image=(OLD, None)),
        "the same digest, a new container": settings,
        "the same digest, the container stays; the gate looks": replace(
            settings, new_container=False
        ),
        "an image that is not built yet instead of shop@sha256:aaaaaaaaaaaa": replace(
            WEB, image=(OLD, None)
        ),
    }
    for said, one in variants.items():
        assert text(replace(FOUND, services=(one,))).splitlines()[3] == f"web: {said}"


def test_stack_without_a_release_is_told_in_the_title() -> None:
    assert text(Explanation("test", ())) == (
        "test: no release serves; all of the source would be new"
    )


def test_people_are_shown_so_much_and_nothing_that_steers_a_terminal() -> None:
    files = FileChanges(changed=tuple(f"{n:03}\x1b[2J.py" for n in range(60)))
    long = Change("command", "a" * 300, "a" * 299)
    lines = text(replace(FOUND, services=(replace(WEB, files=files, settings=(long,)),)))
    assert "\x1b" not in lines
    shown = lines.splitlines()
    assert shown[4] == "  ~ 000�[2J.py"
    assert shown[44] == "    and 20 more files; --json has them all"
    assert "  ~ command" in shown
