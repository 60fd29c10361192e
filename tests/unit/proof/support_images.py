"""Images that are played: what is in them, and what their Python says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.build_context import Entry
from slipway.image_labels import CREATED, REVISION, SOURCE, SOURCE_HASH
from slipway.image_plan import ImagePlan
from slipway.proof.files import Found
from slipway.proof.image import ImageFacts
from slipway.proof.inspection import Process
from slipway.proof.interpreter import MARK, Ended
from slipway.proof.settings import Proof
from slipway.proof.subject import Subject
from slipway.reference import parse_reference
from slipway.services import Build
from slipway.source_hash import Source

from .support import BASE, entry, found

REFERENCE = f"localhost:5000/shop@sha256:{'d' * 64}"
HASH = "c" * 64
LABELS = dict.fromkeys((REVISION, SOURCE, CREATED), "x") | {SOURCE_HASH: HASH}
FACTS = ImageFacts("id", (REFERENCE,), "app", "/", {}, LABELS)
WELL = Ended(0, f'{MARK}{{"imported": ["main"], "routes": ["/"]}}')


@dataclass
class FakeImages:
    """One image, whatever it is called.

    Args:
        facts: what it says of itself.
        files: what is in it, by path.
        texts: contents of files.
        ended: how its Python ends.
    """

    facts_: ImageFacts = FACTS
    files: dict[str, Found] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    ended: Ended = WELL
    journal: list[str] = field(default_factory=list)

    def sweep(self) -> None:
        self.journal.append("sweep")

    def facts(self, image: str) -> ImageFacts:
        self.journal.append(f"facts of {image}")
        return self.facts_

    @contextmanager
    def opened(self, image: str) -> Iterator["FakeImages"]:
        self.journal.append(f"open {image}")
        yield self
        self.journal.append(f"close {image}")

    def run(self, image: str, process: Process) -> Ended:
        self.journal.append(f"run as {process.user or 'its own user'} for {process.timeout:g} s")
        return self.ended

    def tree(self, path: str, wanted: Mapping[str, str]) -> dict[str, Found]:
        return {p: f for p, f in self.files.items() if p == path or p.startswith(f"{path}/")}

    def content(self, path: str) -> bytes | None:
        return self.texts.get(path)

    def has(self, path: str) -> bool:
        return path in self.files


def plan_of(
    *entries: Entry, dockerfile: str = "COPY app /srv/app", context: Path = Path("/x")
) -> ImagePlan:
    """An image that is built from entries."""
    return ImagePlan(
        "shop-web",
        Build(context=str(context)),
        "linux/amd64",
        Source(HASH, tuple(entries), {"dockerfile": f"FROM {BASE}\n{dockerfile}\n"}),
        parse_reference("localhost:5000/shop:src-1"),
        None,
        declared=True,
    )


def subject(proof: dict[str, Any] | None = None, **more: Any) -> Subject:
    """A service whose image holds one file."""
    fields = {"image": plan_of(entry("app/main.py", "new")), "dockerfile": "app/Dockerfile", **more}
    return Subject(
        "web", "compose.yaml:3 services.web", Proof.model_validate(proof or {}), **fields
    )


def holding(text: str = "new", **more: Any) -> FakeImages:
    """An image that holds the file."""
    return FakeImages(files={"/srv/app/main.py": found(text)}, **more)
