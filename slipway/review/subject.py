"""What is reviewed, and what comes of it."""

from dataclasses import dataclass

from slipway.key_lines import KeyLines
from slipway.roles import Role, role_of
from slipway.services import Project, Service

_REHEARSALS = ("ci", "dev", "local", "preview", "qa", "staging", "test")


@dataclass(frozen=True)
class Finding:
    """One thing to say about the file.

    Args:
        line: its line.
        text: `file:line key: what, why, what to do`.
        refused: whether nothing is released with it; else it is a warning.
        service: the service that it is about, if it follows from how that was read.
    """

    line: int
    text: str
    refused: bool
    service: str = ""


@dataclass(frozen=True)
class Subject:
    """A compose file that is reviewed for a stack.

    Args:
        project: its services.
        lines: finds lines.
        stack: the Pulumi stack.
        complete: whether all services could be read; else nothing is said about what is missing.
        unread: services of which not all could be read.
        whole: whether all services are there, with what they wait for; else the part that a service
            plays is not known for sure.
    """

    project: Project
    lines: KeyLines
    stack: str
    complete: bool = True
    unread: frozenset[str] = frozenset()
    whole: bool = True

    @property
    def rehearsal(self) -> bool:
        """Whether the stack's name says that no users are on it."""
        return any(part in _REHEARSALS for part in self.stack.replace("_", "-").split("-"))

    def role(self, service: Service) -> Role:
        return role_of(service, self.project)

    def with_role(self, *roles: Role) -> list[Service]:
        return [s for s in self.project.services.values() if self.role(s) in roles]

    def refuse(self, text: str, *path: object) -> Finding:
        """A finding that stops the release, at a key."""
        return self._find(text, path, refused=True)

    def warn(self, text: str, *path: object) -> Finding:
        """A finding that is only said."""
        return self._find(text, path, refused=False)

    def _find(self, text: str, path: tuple[object, ...], *, refused: bool) -> Finding:
        service = str(path[1]) if path[0] == "services" and len(path) > 1 else ""
        place = self.lines.where(*path)
        return Finding(self.lines.of(path), f"{place}: {text}", refused, service)
