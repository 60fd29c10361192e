"""What is to be proven of a service's image."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.canonical import digest
from slipway.image_plan import ImagePlan, ReleasedImage, relative_context
from slipway.mounted_files import UploadedFile
from slipway.plan import ContainerPlan, identity_of
from slipway.proof.settings import Proof

SERVES = "this digest serves already, and was not looked at again"
RESTORED = "this digest is that of a release: it was proven then, and was not looked at again"
PULLED = "the image is not built here: there is no source that it could be compared with"


@dataclass(frozen=True)
class Subject:
    """What is to be proven of a service's image.

    Args:
        service: its name.
        place: `file:line key` of its settings.
        proof: its settings.
        image: what is built from source; None where there is no source to compare with.
        dockerfile: how messages call its Dockerfile.
        allow_root: whether its container may run as root.
        user: that the compose file names; empty for the image's own.
        workdir: the same of the working directory.
        environment: of its container.
        files: that are put into its container.
        skipped: why less is looked at, or nothing.
        nothing: whether nothing is looked at.
    """

    service: str
    place: str
    proof: Proof = field(default_factory=Proof)
    image: ImagePlan | None = None
    dockerfile: str = "Dockerfile"
    allow_root: bool = False
    user: str = ""
    workdir: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: tuple[UploadedFile, ...] = ()
    skipped: str = ""
    nothing: bool = False

    @property
    def key(self) -> str:
        """Equal for two subjects of one image of which the same is to be proven."""
        asks = self.proof.asks_python
        return digest(
            {
                "proof": self.proof.model_dump(mode="json"),
                "source": self.image.source.hash if self.image else None,
                "root": self.allow_root,
                "user": self.user,
                "workdir": self.workdir if asks else "",
                "environment": dict(self.environment) if asks else {},
                "files": [[f.path, f.encoded] for f in self.files] if asks else [],
            }
        )


def subject_of(
    plan: ContainerPlan, place: str, base: Path, image: str, served: Mapping[str, Any]
) -> Subject | None:
    """What is to be proven of a container's image; None if nothing is.

    Args:
        plan: of the container.
        place: `file:line key` of its settings.
        base: the program's folder.
        image: `repository@sha256:…` of its image.
        served: what the ledger keeps of the service as it serves; empty if it does not.
    """
    extension, source = plan.service.extension, plan.image
    if plan.job_of is not None:
        return None  # It runs the image of its service, which is proven before either starts.
    built = source if isinstance(source, ImagePlan) else None
    if built is None and not extension.proof.declared:
        return None
    serves, restored = _serves(plan, image, served), isinstance(source, ReleasedImage)
    skipped = SERVES if serves else RESTORED if restored else "" if built else PULLED
    return Subject(
        service=plan.service.name,
        place=place,
        proof=extension.proof,
        image=built,
        dockerfile=_dockerfile(built, base) if built else "",
        allow_root="root" in extension.allow,
        user=plan.service.user or "",
        workdir=plan.service.working_dir or "",
        environment=plan.spec.environment,
        files=plan.placement.mounted.files,
        skipped=skipped,
        nothing=serves or restored,
    )


def _dockerfile(image: ImagePlan, base: Path) -> str:
    return os.path.normpath(
        os.path.join(relative_context(image.build, base), image.build.dockerfile)
    )


def _serves(plan: ContainerPlan, image: str, served: Mapping[str, Any]) -> bool:
    """Whether the very same serves already, under the same name of its source."""
    _, source_hash = identity_of(plan.image)
    same = (served.get("image"), served.get("source_hash")) == (image, source_hash)
    return same and _wanted(plan.record.content) == _wanted(served.get("record", {}))


def _wanted(record: Mapping[str, Any]) -> tuple[Any, Any]:
    extension = record.get("service", {}).get("x-slipway") or {}
    return extension.get("proof"), extension.get("allow")
