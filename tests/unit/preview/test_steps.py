from typing import Any

import pytest

from slipway.preview.model import Operation, Step
from slipway.preview.steps import step_of
from slipway.state import CONTAINER, STASH

URN = "urn:pulumi:test::shop::slipway:docker:DockerStack${type}::shop-web"


def event(op: str, type_: str = CONTAINER, **state: Any) -> dict[str, Any]:
    side = "old" if op == "delete" else "new"
    resource = {"type": type_, "custom": True, **state}
    urn = URN.format(type=type_)
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": type_, side: resource}}}


@pytest.mark.parametrize("op", ["same", "read", "refresh", "create-replacement", "delete-replaced"])
def test_part_of_a_change_or_none_is_no_change(op: str) -> None:
    assert step_of(event(op)) is None


@pytest.mark.parametrize("op", list(Operation))
def test_change_is_told_with_its_resource(op: Operation) -> None:
    assert step_of(event(str(op))) == Step(op, CONTAINER, "shop-web")


def test_components_and_providers_are_no_resources() -> None:
    assert step_of(event("create", "slipway:docker:Gate", custom=False)) is None
    assert step_of(event("create", "pulumi:providers:docker")) is None


def test_other_events_are_no_changes() -> None:
    assert step_of({"preludeEvent": {"config": {}}}) is None
    assert step_of({"resOutputsEvent": event("create")["resourcePreEvent"]}) is None


def test_what_stays_where_it_is_is_told() -> None:
    assert step_of(event("delete", STASH, retainOnDelete=True)) == Step(
        Operation.DELETE, STASH, "shop-web", kept=True
    )
