"""What the engine's events of a preview tell of resources."""

from collections.abc import Mapping
from typing import Any

from slipway.preview.model import Operation, Step

_PROVIDER = "pulumi:providers:"
_OPERATIONS = {
    "create": Operation.CREATE,
    "update": Operation.UPDATE,
    "replace": Operation.REPLACE,
    "delete": Operation.DELETE,
}
"""Of a replacement the engine tells three times; the other two are its parts."""


def step_of(event: Mapping[str, Any]) -> Step | None:
    """The change that an event tells of; None for other events, components and providers.

    Args:
        event: as the engine's event log has it.
    """
    metadata = event.get("resourcePreEvent", {}).get("metadata", {})
    operation = _OPERATIONS.get(metadata.get("op", ""))
    state = metadata.get("old") or metadata.get("new") or {}
    if operation is None or not state.get("custom") or metadata["type"].startswith(_PROVIDER):
        return None
    name = str(metadata["urn"]).split("::", 3)[-1]
    return Step(operation, str(metadata["type"]), name, bool(state.get("retainOnDelete")))
