"""Previews as they come: the pages that the golden files have."""

from dataclasses import replace

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
from slipway.preview.model import Operation, StackPreview, Step
from slipway.state import CONTAINER, REMOTE_IMAGE, STASH

OLD, NEW = (f"localhost:5000/shop@sha256:{digits * 16}" for digits in ("ab12", "cd34"))
DIGEST = f"sha256:{'cd34' * 16}"
TAG = f"localhost:5000/shop:src-{'0123' * 6}"
VOLUME, NETWORK = "docker:index/volume:Volume", "docker:index/network:Network"
ATTEMPT = Step(Operation.REPLACE, STASH, "shop-attempt")
HOSTILE = (
    "``` </details> @team <!-- slipway-preview --> <img src=x onerror=alert(1)>\n"
    "# big | **bold** [click](https://example.com) #123 \u202e\x1b[31m"
)
FENCE = "`````"

WORKER = ServiceChange("worker", Status.UNCHANGED, image=(OLD, OLD))
WEB = ServiceChange(
    "web", Status.CHANGED, True, (OLD, None), FileChanges(changed=("app/main.py",))
)  # fmt: skip
SERVES = Explanation(
    "test", (WEB, WORKER), 7, "2026-01-02T03:04:05+00:00", "1a2b3c4d5e6f" + "0" * 28
)


def diff(*lines: str) -> str:
    head = ["Previewing update (test):", "  pulumi:pulumi:Stack: (same)"]
    return "\n".join([*head, *lines, "Resources:", "    5 unchanged", "", "Duration: 4s"])


CHANGE = diff(
    "    + docker:index/container:Container: (create)",
    '        name: "shop-test-web-1"',
    "    +-pulumi:index:Stash: (replace)",
    "      ~ input: {",
    '          - release: "a"',
    "    ~ pulumi:index:Stash: (update)",
)
NOTHING = StackPreview(
    "test",
    replace(SERVES, services=(replace(WEB, status=Status.UNCHANGED, image=(OLD, OLD)), WORKER)),
    diff=diff(),
)
ONE_FILE = StackPreview(
    "test",
    replace(SERVES, images=(SourceImage(TAG, ("web",)),)),
    (
        ATTEMPT,
        Step(Operation.CREATE, REMOTE_IMAGE, "shop-0123"),
        Step(Operation.CREATE, CONTAINER, "shop-web-2"),
        Step(Operation.UPDATE, STASH, "shop-live"),
        Step(Operation.DELETE, CONTAINER, "shop-web-1"),
    ),
    diff=CHANGE,
)
IMAGES = replace(
    ONE_FILE,
    explanation=replace(
        SERVES,
        services=(WEB, replace(WEB, service="api", image=(OLD, NEW), recipe=(
            Change("args.MODE", "slow", "fast"), Change("dockerfile", "Dockerfile", "Dockerfile"),
        ))),
        images=(
            SourceImage(TAG, ("web",)),
            SourceImage(TAG.replace("0123", "4567"), ("api",), DIGEST),
            SourceImage(TAG.replace("0123", "89ab"), ("web",), known=False),
        ),
        notes=("whether images are built already is not known: no.example.com does not answer",),
    ),
)  # fmt: skip
MIGRATION = replace(
    ONE_FILE,
    explanation=replace(
        SERVES,
        services=(
            replace(
                WEB,
                files=FileChanges(
                    ("run",), ("migrations/2.sql",), ("old.py",), {"run": "644 → 755"}
                ),
                settings=(
                    Change("environment.LEVEL", "info", "debug"),
                    Change("environment.DSN", "${DSN}", "${DSN}"),
                    Change("command", '["a"]', None),
                    Change("x-slipway.release", None, "manage migrate"),
                ),
                commits=(
                    Commit("c" * 40, "kim", "Add a table"),
                    Commit("d" * 40, "lee", "Break it", taken_back=True),
                ),
                notes=("its release command will run", "there are changes that are in no commit"),
            ),
            WORKER,
        ),
        commands=(Command("web", "manage migrate"), Command("seed", "", release=False)),
    ),
    warnings=("compose.yaml:7 services.web.restart: always is taken for unless-stopped",),
)  # fmt: skip
LOSSES = StackPreview(
    "prod",
    replace(
        SERVES,
        services=(ServiceChange("cache", Status.REMOVED, image=(OLD, None)), WORKER),
        project=(Change("volumes.cache", "{}", None),),
    ),
    (
        ATTEMPT,
        Step(Operation.DELETE, CONTAINER, "shop-cache-1"),
        Step(Operation.DELETE, REMOTE_IMAGE, "shop-0123", kept=True),
        Step(Operation.DELETE, STASH, "shop-kept-0123"),
        Step(Operation.DELETE, VOLUME, "shop-cache", kept=True),
        Step(Operation.DELETE, NETWORK, "shop-back"),
        Step(Operation.REPLACE, NETWORK, "shop-network"),
        Step(Operation.DELETE, CONTAINER, "shop-ingress"),
        Step(Operation.DELETE, "other:index:Thing", "thing"),
    ),
    diff=diff("    - docker:index/network:Network: (delete)"),
)
FAILED = StackPreview(
    "prod", error="1 problem; nothing was changed:\ncompose.yaml:3 services.web.image: not pinned"
)
UNEXPLAINED = StackPreview("test", None, ONE_FILE.steps, diff=CHANGE, unexplained="no digest key")
LARGE = replace(ONE_FILE, diff=diff(*(f"    + line {n:04} {'x' * 60}" for n in range(2000))))
HOSTILE_TEXT = StackPreview(
    "test",
    replace(
        SERVES,
        services=(
            replace(
                WEB,
                files=FileChanges((HOSTILE, "`a`", "` "), modes={"`a`": HOSTILE}),
                recipe=(Change(HOSTILE, HOSTILE, HOSTILE + "2"),),
                settings=(Change(HOSTILE, None, ""), Change(HOSTILE, HOSTILE, None)),
                commits=(Commit(HOSTILE, HOSTILE, HOSTILE),),
                notes=(HOSTILE,),
            ),
        ),
        commit=HOSTILE,
        notes=(
            HOSTILE, "1. one", "+ two", "- three", "gh-12 www.example.com :tada: kim@example.com",
        ),
        images=(SourceImage(HOSTILE, ("web",)),),
        commands=(Command("web", HOSTILE),),
    ),
    (Step(Operation.DELETE, HOSTILE, HOSTILE),),
    (HOSTILE,),
    diff(HOSTILE, FENCE, f"    + {FENCE}`"),
)  # fmt: skip

PAGES: dict[str, tuple[StackPreview, ...]] = {
    "nothing-changes": (NOTHING, replace(NOTHING, stack="prod")),
    "one-file": (ONE_FILE,),
    "images": (IMAGES,),
    "migration": (MIGRATION,),
    "replaced-and-deleted": (LOSSES,),
    "first-release": (
        StackPreview(
            "test",
            Explanation("test", (ServiceChange("web", Status.NEW, True, (None, NEW)),)),
            (Step(Operation.CREATE, CONTAINER, "shop-web-1"),),
            diff=CHANGE,
        ),
    ),
    "failed": (ONE_FILE, FAILED),
    "unexplained": (UNEXPLAINED,),
    "too-large": (ONE_FILE, replace(LARGE, stack="prod")),
    "hostile": (HOSTILE_TEXT, replace(FAILED, error=f"{HOSTILE}\n{FENCE}")),
}
