"""What may be wrong with a stack: each check is a function from facts to findings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from slipway.doctor.facts import Evidence, Facts, LockFact, StackFacts, StateFacts, Unread
from slipway.doctor.findings import Finding, ok, problem, sized, warning
from slipway.doctor.stack_file import StackFile

_PRUNE = "scripts/doctor --prune"
_SHOWN = 5
_LONGEST_RUN = timedelta(hours=1)
"""After it a run counts as over where no lock tells: backends other than files have their own."""


def check_stacks(facts: Facts) -> list[Finding]:
    """All findings about the stacks, stack by stack, and about the images that they share."""
    found = [
        replace(finding, stack=stack.name)
        for stack in facts.stacks
        for finding in _check_stack(stack, facts)
    ]
    return [*found, check_images(facts)]


def _check_stack(stack: StackFacts, facts: Facts) -> Iterator[Finding]:
    yield from check_file(stack, facts)
    if not isinstance(facts.machine.backend, Unread):  # Else it is told of the machine, once.
        yield from check_state(stack)
    yield from check_locks(stack)
    yield from check_pending(stack)
    yield from check_port(stack)
    yield from check_shared_port(stack, facts)
    yield from check_pin(stack)
    yield from check_compose(stack)
    yield from check_drift(stack)
    yield from check_orphans(stack)
    yield from check_evidence(stack, facts)


def check_file(stack: StackFacts, facts: Facts) -> Iterator[Finding]:
    """The configuration can be read."""
    if isinstance(stack.file, Unread):
        why = "pulumi cannot work on the stack, and what hangs on its settings is not looked at"
        yield problem("file", stack.file.why, why, f"edit stacks/Pulumi.{stack.name}.yaml")
    elif stack.file.port is None:
        what = f"stacks/Pulumi.{stack.name}.yaml has no slipway:port"
        command = f"pulumi config set --stack {stack.name} slipway:port {_other_port(facts)}"
        yield problem("file", what, "the stack cannot be released without a public port", command)


def check_state(stack: StackFacts) -> Iterator[Finding]:
    """The backend has the stack, and its state can be read."""
    if isinstance(stack.state, Unread):
        why = "nothing is known of what the stack should serve, and nothing can be released"
        command = f"pulumi stack export --stack {stack.name}"
        yield problem("state", stack.state.why, why, command)
    elif stack.state is None:
        why = "pulumi up would stop at a stack that it does not know"
        yield warning("state", "the backend has no such stack", why, "scripts/bootstrap")
    elif stack.state.release is None:
        yield ok("state", "no release yet")
    else:
        yield ok("state", f"release {stack.state.release} is live")


def check_locks(stack: StackFacts) -> Iterator[Finding]:
    """Nobody holds the stack's state."""
    if isinstance(stack.locks, Unread):
        why = "no deploy can tell whether another one is running"
        yield problem("lock", stack.locks.why, why, f"scripts/deploy {stack.name}")
        return
    for lock in stack.locks or ():
        yield _judge_lock(stack.name, lock)


def _judge_lock(stack: str, lock: LockFact) -> Finding:
    if lock.over:
        what = f"a deploy that has ended left its lock: {lock.text}"
        return warning("lock", what, "plain pulumi up refuses to start", f"scripts/deploy {stack}")
    if lock.here:
        what = f"a deploy is running: {lock.text}"
        why = "no other one can start, and what is told of the stack may change under your eyes"
        return warning("lock", what, why, f"wait for it, or stop it: kill -INT {lock.pid}")
    why = "no deploy can start, and only that machine can tell whether the process still runs"
    command = f"if it has ended: pulumi cancel --yes --stack {stack}"
    return problem("lock", f"locked from another machine: {lock.text}", why, command)


def check_pending(stack: StackFacts) -> Iterator[Finding]:
    """No run was cut off while it created something."""
    if not isinstance(stack.state, StateFacts) or not stack.state.pending or stack.busy:
        return
    # Each is told as its type and name: the name is what people know.
    names = [pending.rpartition("::")[2] for pending in stack.state.pending]
    what = f"a run was cut off while it created {_some(names)}"
    why = "pulumi warns of it in each run until it is cleared"
    yield warning("pending", what, why, f"scripts/deploy {stack.name}")


def check_port(stack: StackFacts) -> Iterator[Finding]:
    """The public port is free, or its own proxy's."""
    if not isinstance(stack.file, StackFile) or stack.file.port is None:
        return
    if isinstance(stack.port_taken, Unread):
        yield ok("port", f"not looked at: {stack.port_taken.why}")
    elif stack.port_taken is None:
        yield ok("port", f"{stack.file.port} is free, or its own proxy's")
    else:
        what, _, command = stack.port_taken.partition("; ")
        if isinstance(stack.state, StateFacts) and stack.state.release is not None:
            yield problem("port", what, "the stack's own proxy does not have its port", command)
        else:
            yield warning("port", what, "the stack's first release will be refused", command)


def check_shared_port(stack: StackFacts, facts: Facts) -> Iterator[Finding]:
    """No other stack wants the same port."""
    if not isinstance(stack.file, StackFile) or stack.file.port is None:
        return
    for name, other in sorted(facts.configured.items()):
        if name != stack.name and stack.file.shares_address(other):
            what = f"stack {name} has slipway:port {stack.file.port} too"
            why = "on one Docker host only one of them can be released"
            command = f"pulumi config set --stack {stack.name} slipway:port {_other_port(facts)}"
            yield warning("port", what, why, command)


def _other_port(facts: Facts) -> int:
    """A port that no stack wants yet."""
    wanted = {file.port for file in facts.configured.values()}
    return next(port for port in range(8000, 65536) if port not in wanted)


def check_pin(stack: StackFacts) -> Iterator[Finding]:
    """The stack is not held at a release."""
    if isinstance(stack.file, StackFile) and stack.file.pin is not None:
        what = f"the stack is held at release {stack.file.pin}"
        why = "what is committed since then is not released"
        yield warning("pin", what, why, f"scripts/deploy {stack.name} --leave-pin")


def check_compose(stack: StackFacts) -> Iterator[Finding]:
    """All images of the compose file are pinned."""
    if isinstance(stack.compose, Unread):
        why = "the stack cannot be released"
        yield problem("pinned", stack.compose.why, why, f"pulumi preview --stack {stack.name}")
    elif stack.compose:
        file = stack.file.compose if isinstance(stack.file, StackFile) else "compose.yaml"
        why = "the same file could run another image tomorrow; a release of it is refused"
        yield problem("pinned", _some(stack.compose), why, f"scripts/pin {file}")
    elif isinstance(stack.file, StackFile):
        yield ok("pinned", "all images are")


def check_drift(stack: StackFacts) -> Iterator[Finding]:
    """What the ledger says is what serves."""
    if isinstance(stack.drift, Unread):
        why = "whether the stack serves its live release is not known"
        command = f"scripts/doctor {stack.name}"
        yield warning("serving", f"not looked at: {stack.drift.why}", why, command)
    elif stack.drift and stack.busy:
        why = "a deploy is running, so that this may be on its way"
        command = f"scripts/doctor {stack.name}"
        yield warning("serving", _some(stack.drift), why, command)
    elif stack.drift:
        why = "what serves is not what was released and verified"
        yield problem("serving", _some(stack.drift), why, f"scripts/deploy {stack.name}")
    elif stack.drift is not None:
        yield ok("serving", "ledger, containers, proxy and probes agree")


def check_orphans(stack: StackFacts) -> Iterator[Finding]:
    """The host has no container of the stack that its state does not know."""
    if isinstance(stack.orphans, Unread) or not stack.orphans or stack.busy:
        return
    names = [f"{orphan.name} ({orphan.status})" for orphan in stack.orphans]
    what = f"{_count(names, 'container')} that the state does not know: {_some(names)}"
    why = "left by a run that was killed; they use memory, and workers among them take jobs"
    yield warning("orphans", what, why, _PRUNE)


def check_evidence(stack: StackFacts, facts: Facts) -> Iterator[Finding]:
    """Each run that began has told how it ended."""
    over = [found for found in stack.evidence if not _still_running(found, stack, facts)]
    if over:
        what = f"{_count(over, 'run')} did not end: {_some([str(found.file) for found in over])}"
        why = "it was killed, and no other file tells how far it came"
        command = f"read it, deploy again if need be, then: rm {over[0].file}"
        yield warning("evidence", what, why, command)


def check_images(facts: Facts) -> Finding:
    """No image outlived its releases for longer than it should."""
    if isinstance(facts.images, Unread):
        down = isinstance(facts.machine.backend, Unread) or isinstance(facts.machine.engine, Unread)
        reason = "see above" if down else facts.images.why
        why = "whether images can be thrown away is not known, so that none will be"
        command = "mend what is told of it, then: scripts/doctor"
        return warning("images", f"not looked at: {reason}", why, command)
    found = facts.images
    if found.count:
        what = f"{_count(range(found.count), 'image')} of no release, older than "
        what += f"slipway:imageRetention: up to {sized(found.size)}"
        return warning("images", what, "they take space, and nothing needs them", _PRUNE)
    if found.unread:
        return ok("images", f"none on the host; not looked at: {'; '.join(found.unread)}")
    return ok("images", "none has outlived its releases")


def _still_running(found: Evidence, stack: StackFacts, facts: Facts) -> bool:
    """Whether a file may be that of a run that is at work: the newest one, under a lock."""
    newest = max(stack.evidence, key=lambda other: other.file.name)
    if found != newest:
        return False
    if stack.locks is not None:
        return stack.busy
    return found.run is not None and facts.now - found.run < _LONGEST_RUN


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}" if len(things) == 1 else f"{len(things)} {noun}s"


def _some(lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "; ".join([*lines[:_SHOWN], *more])
