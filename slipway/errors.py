"""What can go wrong, parted by who can mend it.

SlipwayError
├── UserError            the user can mend it; the message says how
│   ├── ConfigError      compose file, x-slipway, stack configuration; carries every problem found
│   ├── HostError        Docker, ports, disk, network on the machine that runs the containers
│   ├── RegistryError    the image registry does not answer, or not as it should
│   └── GateError        a release did not pass its checks; what served before still serves
└── InternalError        our bug; please report it
"""

from collections.abc import Sequence


class SlipwayError(Exception):
    """Root of all errors that Slipway raises on purpose. Its message is never empty."""

    def __init__(self, message: str) -> None:
        super().__init__(message or f"{type(self).__name__} without a message (a bug in Slipway)")


class UserError(SlipwayError):
    """Something that the user can mend."""


class ConfigError(UserError):
    """One or more problems in what the user wrote, reported together.

    Args:
        problems: one line each: where, what is wrong, what to write instead.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        super().__init__("\n".join([f"{head}; nothing was changed:", *self.problems]))


class HostError(UserError):
    """The machine that runs the containers is not ready."""


class RegistryError(UserError):
    """The image registry cannot be used."""


class GateError(UserError):
    """A release failed its checks."""


class InternalError(SlipwayError):
    """A bug in Slipway."""
