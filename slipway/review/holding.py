"""Rules about services whose requests wait while they are exchanged."""

from collections.abc import Iterator

from slipway.hold import HELD_STABLE_FOR, held_stable_for
from slipway.review.subject import Finding, Subject
from slipway.roles import Role


def short_holds(subject: Subject) -> Iterator[Finding]:
    """Requests would wait for longer than they may."""
    for service in subject.with_role(Role.HELD):
        grace, hold = service.stop_grace_period, service.extension.hold
        watched = held_stable_for(service.extension, HELD_STABLE_FOR)
        if grace + watched <= hold:
            continue
        yield subject.refuse(
            f"requests wait for {hold:g} s at most while the service is exchanged, but the old "
            f"container may take {grace:g} s to stop (stop_grace_period), and the new one is "
            f"watched for {watched:g} s (stable_for); write a hold of more than "
            f"{grace + watched:g}s, with time for the new one to start, or shorten the others",
            *("services", service.name, "x-slipway", "hold"),
        )
