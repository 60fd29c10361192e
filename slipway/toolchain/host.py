"""What every set-up step works with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from slipway.toolchain.commands import Commands
from slipway.toolchain.download import Downloads
from slipway.toolchain.places import Places


@dataclass(frozen=True)
class Host:
    """The machine as the steps see it: paths, environment, programs, network, and a voice.

    Args:
        places: paths of checkout and cache.
        environ: the user's environment.
        commands: runs programs.
        downloads: fetches files.
        say: takes one line for the user.
        is_root: whether set-up may install packages and start daemons.
    """

    places: Places
    environ: Mapping[str, str]
    commands: Commands
    downloads: Downloads
    say: Callable[[str], None]
    is_root: bool
