"""The configuration of the stack that is being worked on."""

import os

import pulumi
from pulumi.runtime.config import get_config_env

from slipway.configuration import parse_settings
from slipway.prepared import Settings


def read_settings() -> Settings:
    """The settings of the stack that is being worked on.

    Raises:
        ConfigError: a key is missing, unknown or has a value that it cannot have.
    """
    return parse_settings(get_config_env(), pulumi.get_stack(), os.environ.get("SLIPWAY_REGISTRY"))
