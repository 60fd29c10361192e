"""Which sources of mounts are written relative: those are the project's, wherever they lead."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slipway.init.variables import Values, dotenv
from slipway.key_lines import KeyLines


def relative_sources(lines: KeyLines, folder: Path, variables: Mapping[str, str]) -> set[Path]:
    """Where the sources lead that are written relative in a compose file, or in one read with it.

    Args:
        lines: of the compose file.
        folder: where its relative paths begin.
        variables: values for `${NAME}`.
    """
    values = Values({**dotenv(folder / ".env"), **variables})
    return {
        real_path(base / source)
        for file, root in lines.documents
        # An included file may have the folder of the first one as its own.
        for base in (file.parent, folder)
        for source in _sources(root, values)
        if source.startswith(".")
    }


def real_path(source: Path) -> Path:
    """A path without links in the way to it; of a folder, not the folder as a link either."""
    return source.resolve() if source.is_dir() else source.parent.resolve() / source.name


def _sources(root: Any, values: Values) -> Iterator[str]:
    services = root.get("services") if isinstance(root, dict) else None
    for service in services.values() if isinstance(services, dict) else ():
        mounts = service.get("volumes") if isinstance(service, dict) else None
        for mount in mounts if isinstance(mounts, list) else ():
            if isinstance(mount, dict):
                yield values.fill(str(mount.get("source", "")))
            else:
                yield values.fill(str(mount)).split(":")[0]
