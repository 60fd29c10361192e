from typing import Any

import pytest

from slipway.explain.model import Change
from slipway.explain.settings import project_changes, settings_changes


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"environment": {"A": "${kept:1}"}}, {"environment": {"A": "${kept:2}"}},
         Change("environment.A", "(hidden)", "(hidden)")),
        ({"environment": {"A": "u:${kept:1}@db"}}, {},
         Change("environment.A", "u:(hidden)@db", None)),
        ({"environment": {"A": "${OLD}"}}, {"environment": {"A": "${NEW}"}},
         Change("environment.A", "${OLD}", "${NEW}")),
        ({"environment": {"A": "$$5"}}, {"environment": {"A": "$$6"}},
         Change("environment.A", "$5", "$6")),
        ({"files": [{"path": "/run/secrets/a", "base64": "${kept:1}"}]},
         {"files": [{"path": "/run/secrets/a", "base64": "${kept:2}"}]},
         Change("mounted file /run/secrets/a", "(hidden)", "(hidden)")),
        ({}, {"files": [{"path": "/etc/a", "text": "listen 80"}]},
         Change("mounted file /etc/a", None, "(hidden)")),
        ({"service": {"deploy": {"resources": {"limits": {"memory": 5.0}}}}},
         {"service": {"deploy": {"resources": {"limits": {"memory": 6}}}}},
         Change("deploy.resources.limits.memory", "5", "6")),
        ({"service": {"entrypoint": {"$none": ""}}}, {"service": {"entrypoint": ["a"]}},
         Change("entrypoint", "null", '["a"]')),
        ({"service": {"x-slipway": {}}}, {"service": {"x-slipway": {"drain": 5}}},
         Change("x-slipway.drain", None, "5")),
        ({"host_paths": [{"source": "/a"}]}, {}, Change("host_paths", '[{"source": "/a"}]', None)),
    ],
    ids=["literal secret", "part of a value", "reference", "dollar", "secret file", "config",
         "resources", "null", "something in what was empty", "host path"],
)  # fmt: skip
def test_difference_is_told_by_its_key_and_without_secrets(
    before: dict[str, Any], after: dict[str, Any], told: Change
) -> None:
    assert settings_changes(before, after) == (told,)


def test_whole_numbers_that_the_state_keeps_are_equal_to_those_of_the_source() -> None:
    assert settings_changes({"service": {"x": 10}}, {"service": {"x": 10.0}}) == ()


def test_volume_that_is_given_a_driver_is_told_once() -> None:
    before = {"name": "shop", "volumes": {"data": {}}}
    after = {"name": "shop", "volumes": {"data": {"driver": "nfs"}, "media": {}}}
    assert project_changes(before, after) == (
        Change("volumes.data.driver", None, "nfs"),
        Change("volumes.media", None, "{}"),
    )
