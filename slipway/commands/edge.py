"""The one place where errors become text and exit codes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from slipway.errors import UserError

REFUSED = 2


@contextmanager
def errors_shown() -> Iterator[None]:
    """Print what the user can mend and end with exit code 2; let bugs show their traceback."""
    try:
        yield
    except UserError as error:
        print(f"slipway: {error}", file=sys.stderr)
        raise SystemExit(REFUSED) from None
