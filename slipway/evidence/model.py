"""The report of one run at the gate, as JSON. Its schema is docs/evidence.schema.json.

Within a version, keys may come but neither change nor go.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from slipway.proof.report import ProofReport

VERSION: Literal[1] = 1
RUN_FORMAT = "%Y%m%dT%H%M%SZ"
"""Of a run's name: the time at which it began, in UTC."""

Kind = Literal["deploy", "rollback", "automatic rollback"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Git(_Part):
    """Where the source stood: 40 digits of the commit, and whether it had further changes."""

    commit: str
    branch: str | None = None
    dirty: bool


class Phase(_Part):
    """What took how long; `begins` counts seconds from the run's start."""

    name: str
    begins: float
    seconds: float


class ProbeResult(_Part):
    """The last answer to a probe.

    Args:
        title: the probe's title.
        asked: whether the candidate was asked, before it took traffic, or the public address.
        passed: whether the answer was as it must be.
        expected: what it had to be.
        found: what it was.
        milliseconds: that the answer took.
        body: start of the answer's body, where it failed.
        rounds: how often it was asked.
        version: that the answer names.
    """

    title: str
    asked: Literal["candidate", "public"]
    passed: bool
    expected: str
    found: str
    milliseconds: float | None = None
    body: str = ""
    rounds: int = 1
    version: str | None = None


class ServiceEvidence(_Part):
    """What was seen of a service.

    Args:
        name: of the service.
        role: its part in the release.
        container: name of the container.
        revision: hash of all that the container is made from.
        source_hash: hash of all that the image is built from.
        image_expected: `repository@sha256:…` that the release names.
        image_running: names by digest of the image that runs.
        image_created: when the image was built.
        image_pushed: when this run had pushed it; null if the registry had it already.
        source_hash_running: what the image that runs was built from, as its label tells.
        container_started: when the container began to run.
        started_after_image: whether it began after the image was pushed, or built.
        probes: the last answer to each probe.
        exit_code: of the container, where it had ended.
        log_tail: end of its log, where it failed.
        proof: what came of the proof of its image; null if nothing was to be proven.
    """

    name: str
    role: str = ""
    container: str = ""
    revision: str = ""
    source_hash: str | None = None
    image_expected: str = ""
    image_running: list[str] = Field(default_factory=list)
    image_created: str | None = None
    image_pushed: str | None = None
    source_hash_running: str | None = None
    container_started: str | None = None
    started_after_image: bool | None = None
    probes: list[ProbeResult] = Field(default_factory=list)
    exit_code: int | None = None
    log_tail: str = ""
    proof: ProofReport | None = None


class Failure(_Part):
    """Why a release failed: in which phase, at which service, in a line, and in full."""

    phase: str = ""
    service: str | None = None
    summary: str
    report: str = ""


class Evidence(_Part):
    """What was seen in one run."""

    version: Literal[1] = VERSION
    stack: str
    run: str
    started: str
    ended: str | None = None
    kind: Kind = "deploy"
    outcome: Literal["verified", "failed", "unfinished"] = "unfinished"
    actor: str = ""
    git: Git | None = None
    release: int | None = None
    rollback_of: int | None = None
    hotfix: str | None = None
    address: str = ""
    fingerprint: str = ""
    phases: list[Phase] = Field(default_factory=list)
    services: list[ServiceEvidence] = Field(default_factory=list)
    failure: Failure | None = None

    def as_json(self) -> str:
        """The report as it is kept."""
        return self.model_dump_json(indent=2) + "\n"
