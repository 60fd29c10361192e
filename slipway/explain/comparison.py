"""What serves, against what would be released. Pure: no file, no host and no registry is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.blueprint import KEPT, own_services
from slipway.explain.inventory import Inventory, take
from slipway.explain.model import Change, FileChanges, ServiceChange, Status
from slipway.explain.settings import differing, settings_changes
from slipway.image_plan import ImagePlan, ReleasedImage
from slipway.plan import ContainerPlan, identity_of
from slipway.secret_references import references

Entry = Mapping[str, Any]
RELEASE_COMMAND_RUNS = "its release command will run"
_NOT_KNOWN = (
    "which files differ is not known: release {number} is from before the state kept them, or its "
    "deploy was killed before it did"
)


@dataclass(frozen=True)
class Live:
    """What serves.

    Args:
        entry: the ledger's newest; None for a stack without a release.
        inventories: what images of the ledger were built from, by source hash.
        key: the stack's random key.
    """

    entry: Entry | None
    inventories: Mapping[str, Inventory]
    key: str = field(repr=False)

    @property
    def services(self) -> Mapping[str, Entry]:
        return own_services(self.entry) if self.entry else {}


def compare(live: Live, plans: Sequence[ContainerPlan]) -> list[ServiceChange]:
    """What a release would change about each service, by name.

    Args:
        live: what serves.
        plans: the containers of the release.
    """
    own = {plan.service.name: plan for plan in plans if plan.job_of is None}
    jobs = {plan.job_of: plan for plan in plans if plan.job_of is not None}
    found = []
    for name in sorted(live.services.keys() | own.keys()):
        if name not in own:
            image = (str(live.services[name]["image"]), None)
            found.append(ServiceChange(name, Status.REMOVED, image=image))
            continue
        change = _service(name, own[name], live)
        job = jobs.get(name)
        if job is not None and _revision(live, job.service.name) != job.revision:
            change = replace(change, notes=(*change.notes, RELEASE_COMMAND_RUNS))
        found.append(change)
    return found


def _service(name: str, plan: ContainerPlan, live: Live) -> ServiceChange:
    kept = live.services.get(name)
    if kept is None:
        return ServiceChange(name, Status.NEW, True, (None, _image(plan, None)))
    image = (str(kept["image"]), _image(plan, kept))
    settings = settings_changes(kept.get("record", {}), plan.record.content)
    if image[0] != image[1]:
        settings = tuple(change for change in settings if change.key != "image")
    change = ServiceChange(
        name, Status.CHANGED, kept["revision"] != plan.revision, image, settings=settings
    )
    change = _with_source(change, plan, kept, live)
    if image[0] == image[1] and not settings:
        if not change.new_container:
            return replace(change, status=Status.UNCHANGED)
        return replace(change, notes=(*change.notes, _why(plan)))
    return change


def _image(plan: ContainerPlan, kept: Entry | None) -> str | None:
    """What a service would run; None if that is not built yet."""
    image = plan.image
    if isinstance(image, ImagePlan):
        if kept is not None and kept.get("source_hash") == image.source.hash:
            return str(kept["image"])
        return f"{image.reference.name}@{image.digest}" if image.digest else None
    named = image.reference if isinstance(image, ReleasedImage) else image
    return str(replace(named, tag=None))


def _with_source(
    change: ServiceChange, plan: ContainerPlan, kept: Entry, live: Live
) -> ServiceChange:
    """With what differs of an image's source."""
    before, after = kept.get("source_hash"), identity_of(plan.image)[1]
    if before == after or not isinstance(plan.image, ImagePlan):
        return change
    if not before:
        return replace(change, notes=("it was pulled, and is built from now on",))
    known = live.inventories.get(str(before))
    if known is None:
        number = live.entry["number"] if live.entry else None
        return replace(change, files=None, notes=(_NOT_KNOWN.format(number=number),))
    image = plan.image
    found = take(image.source, image.build.dockerfile, live.key, known.folded)
    files = file_changes(known.files, found.files)
    recipe = tuple(_without_hash(one) for one in differing(known.recipe, found.recipe))
    same = not files and not recipe
    notes = ("no file differs: sources are hashed by another rule now",) if same else ()
    return replace(change, files=files, recipe=recipe, notes=notes)


def file_changes(before: Mapping[str, str], after: Mapping[str, str]) -> FileChanges:
    """The differences between the files of two inventories."""
    both = before.keys() & after.keys()
    changed = sorted(path for path in both if before[path] != after[path])
    modes = {}
    for path in changed:
        (was, content), (is_, now) = before[path].rsplit(" ", 1), after[path].rsplit(" ", 1)
        if content == now:
            modes[path] = f"{was} → {is_}"
        elif was == is_ == "folder":
            modes[path] = f"{content} → {now}"
    return FileChanges(
        tuple(changed),
        tuple(sorted(after.keys() - both)),
        tuple(sorted(before.keys() - both)),
        modes,
    )


def _without_hash(change: Change) -> Change:
    """Of a Dockerfile and of hidden arguments the hash says nothing to people."""

    def shown(value: str | None) -> str | None:
        hashed = change.key == "dockerfile" or (value or "").startswith("(hidden) ")
        return value.rpartition(" ")[0] if value and hashed else value

    return Change(change.key, shown(change.before), shown(change.after))


def _why(plan: ContainerPlan) -> str:
    """Why there is another container where neither image nor settings differ."""
    names = sorted(n for n in references(plan.record.content) if not n.startswith(KEPT))
    if names:
        return f"a secret that it refers to has another value ({', '.join(names)})"
    return "what Slipway itself gives a container differs"


def _revision(live: Live, service: str) -> str | None:
    services = live.entry["services"] if live.entry else {}
    found = services.get(service, {}).get("revision")
    return None if found is None else str(found)
