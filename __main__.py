"""The Pulumi program: reads the stack's configuration and declares the stack."""

import os

import pulumi

from components import DockerStack, DockerStackArgs
from components.configuration import read_settings
from components.engine_version import require_engine
from slipway.errors import UserError

require_engine()
try:
    stack = DockerStack(pulumi.get_project(), DockerStackArgs(read_settings(), os.environ))
except UserError as error:
    raise pulumi.RunError(str(error)) from error

pulumi.export("address", stack.address)
pulumi.export("releases", stack.releases)
