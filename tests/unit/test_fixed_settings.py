from pathlib import Path
from typing import Any

import pytest

from slipway.errors import ConfigError
from slipway.fixed_settings import refuse_fixed_changes
from slipway.key_lines import KeyLines
from slipway.services import Project
from slipway.state import NETWORK, VOLUME, StackState

TEXT = """\
networks:
  default:
  back:
volumes:
  data:
"""
NFS = {"type": "nfs", "device": ":/srv"}


def judge(folder: Path, declared: dict[str, Any], made: dict[tuple[str, str], Any]) -> list[str]:
    """What is refused; the file stands in `folder`."""
    file = folder / "compose.yaml"
    file.write_text(TEXT)
    values = {"name": "shop", "file": str(file), "services": {}, **declared}
    try:
        refuse_fixed_changes(
            Project.model_validate(values), StackState(made), "shop", KeyLines(file)
        )
    except ConfigError as error:
        return [text.removeprefix(f"{file}:") for text in error.problems]
    return []


@pytest.mark.parametrize(("was", "internal"), [(False, True), (True, False), (None, True)])
def test_network_that_was_made_otherwise_is_refused(
    tmp_path: Path, was: bool | None, internal: bool
) -> None:
    made = {(NETWORK, "shop-network-back"): {"internal": was}}
    assert judge(tmp_path, {"networks": {"back": {"internal": internal}}}, made) == [
        f"3 networks.back: internal was {'true' if was else 'false'} when the network was made, "
        "and a network cannot be changed; give it another name, here and where services name it"
    ]


def test_default_network_is_no_other(tmp_path: Path) -> None:
    made = {(NETWORK, "shop-network"): {"internal": False}}
    (problem,) = judge(tmp_path, {"networks": {"default": {"internal": True}}}, made)
    assert problem.startswith("2 networks.default: internal was false")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"driver": "rclone"}, "driver"),
        ({"driver_opts": NFS}, "driver_opts"),
        ({"driver": "rclone", "driver_opts": NFS}, "driver and driver_opts"),
    ],
)
def test_volume_that_was_made_otherwise_is_refused(
    tmp_path: Path, now: dict[str, Any], told: str
) -> None:
    made = {(VOLUME, "shop-data"): {"driver": "local", "driverOpts": {}}}
    assert judge(tmp_path, {"volumes": {"data": now}}, made) == [
        f"5 volumes.data: {told} were others when the volume was made, and a volume cannot be "
        "changed; give it another name, here and where services mount it, and copy the data over"
    ]


@pytest.mark.parametrize(
    ("declared", "made"),
    [
        ({}, {}),
        ({"driver": "local"}, {"driver": "local"}),
        ({"driver_opts": NFS}, {"driver": "local", "driverOpts": NFS}),
        ({"external": True, "name": "there"}, {"driver": "rclone"}),
    ],
)
def test_volume_that_is_as_it_was_passes(
    tmp_path: Path, declared: dict[str, Any], made: dict[str, Any]
) -> None:
    assert judge(tmp_path, {"volumes": {"data": declared}}, {(VOLUME, "shop-data"): made}) == []


@pytest.mark.parametrize("declared", [{}, {"internal": False}, {"external": True}])
def test_network_that_is_as_it_was_passes(tmp_path: Path, declared: dict[str, Any]) -> None:
    made = {(NETWORK, "shop-network-back"): {}, (NETWORK, "shop-network"): {"internal": False}}
    assert judge(tmp_path, {"networks": {"back": declared}}, made) == []


def test_what_is_new_may_be_made_in_any_way(tmp_path: Path) -> None:
    declared = {
        "networks": {"back": {"internal": True}},
        "volumes": {"data": {"driver_opts": NFS}},
    }
    assert judge(tmp_path, declared, {}) == []
