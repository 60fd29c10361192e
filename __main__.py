"""The Pulumi program: reads the stack's configuration and declares the stack."""

import os

import pulumi

from components import DockerStack, DockerStackArgs
from components.configuration import read_settings
from slipway.errors import UserError

# Older engines only warn when a hook fails, and would call a refused release a success.
pulumi.require_pulumi_version(">=3.238.0")

try:
    stack = DockerStack(pulumi.get_project(), DockerStackArgs(read_settings(), os.environ))
except UserError as error:
    raise pulumi.RunError(str(error)) from error

pulumi.export("address", stack.address)
pulumi.export("releases", stack.releases)
