"""What can go wrong during set-up.

UserError
└── SetupError           a step of the set-up could not be done; the message says what to do next
    └── DownloadError    something could not be fetched; where a fallback exists, it is taken
"""

from slipway.errors import UserError


class SetupError(UserError):
    """A step of the set-up failed.

    Args:
        what: what happened, and where.
        todo: what the user can do about it.
        log: end of a program's output, shown below the message; may be empty.
    """

    def __init__(self, what: str, todo: str, log: str = "") -> None:
        self.what = what
        self.todo = todo
        self.log = log
        tail = "".join(f"\n    | {line}" for line in log.strip().splitlines()[-15:])
        super().__init__(f"{what}{tail}\n  What to do: {todo}")


class DownloadError(SetupError):
    """Something could not be fetched from the network."""
