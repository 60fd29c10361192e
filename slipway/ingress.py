"""Driving a running ingress: the lease, the candidate route and the switch.

Everything goes through the Docker API into the ingress container, so that a remote engine works
like a local one and no port but the public one is open.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from slipway import proxy_scripts
from slipway.errors import GateError, HostError
from slipway.holder import Holder
from slipway.host import Host
from slipway.job_marks import READ_MARK, WRITE_MARK
from slipway.proxy import TABLE

LEASE_SECONDS = 20
"""How long a lease lives without being renewed: a gate that was killed is forgotten after it."""
_RENEW_EVERY = 5.0
_LOST = 9
_MOVED = 8


@dataclass(frozen=True)
class LiveRoute:
    """Where public traffic goes.

    Args:
        route: name of the route, empty where there is none yet.
        upstreams: container:port by service.
        table: name of the sites that it is for (`slipway.proxy.table_id`); empty if not told.
    """

    route: str = ""
    upstreams: Mapping[str, str] = field(default_factory=dict)
    table: str = ""

    @property
    def containers(self) -> frozenset[str]:
        """Names of the containers that it leads to."""
        return frozenset(upstream.rsplit(":", 1)[0] for upstream in self.upstreams.values())


class Ingress:
    """A stack's proxy.

    Args:
        host: the engine it runs on.
        container: its name.
    """

    def __init__(self, host: Host, container: str) -> None:
        self._host = host
        self._container = container

    def live(self) -> LiveRoute:
        """The route that public traffic takes now."""
        lines = self._script(proxy_scripts.OBSERVE).splitlines()
        if not lines:
            return LiveRoute()
        route, *pairs = lines
        if not route.startswith("releases/"):
            return LiveRoute()
        upstreams = dict(pair.split(" ", 1) for pair in pairs)
        return LiveRoute(route, upstreams, table=upstreams.pop(TABLE, ""))

    def in_flight(self, upstream: str) -> int:
        """Requests that an upstream is answering now, WebSockets among them."""
        code, output = self._host.execute(self._container, ["sh", "-euc", proxy_scripts.IN_FLIGHT])
        if code != 0:
            raise HostError(f"the ingress {self._container} does not tell its upstreams: {output}")
        try:
            counts = [(str(e["address"]), int(e["num_requests"])) for e in json.loads(output)]
        except (ValueError, KeyError, TypeError) as error:
            raise HostError(
                f"the ingress {self._container} tells something else than its upstreams: "
                f"{output.strip()[:200]!r}"
            ) from error
        return sum(count for address, count in counts if address == upstream)

    @contextmanager
    def lease(
        self, connect: Callable[[], Host], sleep: Callable[[float], None] = time.sleep
    ) -> Iterator["Lease"]:
        """Hold the lease of the gate.

        A lease whose holder has died on this machine is taken over at once; one of an unknown
        process when it has not been renewed in time.

        Args:
            connect: opens a connection to the engine, for the thread that renews.
            sleep: for tests.

        Raises:
            GateError: another gate of this stack is at work.
        """
        token = secrets.token_hex(8)
        self._acquire(token, sleep)
        lease = Lease(self, token)
        renewal = _Renewal(token, self._container, connect)
        renewal.start()
        try:
            yield lease
        finally:
            renewal.stop()
            # Neither may hide why the gate failed, or fail a release that serves by now: nobody
            # knows the candidate's key, and a lease that is not given back runs out.
            with suppress(Exception):
                lease.close_candidate()
            with suppress(Exception):
                self._script(proxy_scripts.RELEASE, token)

    def _acquire(self, token: str, sleep: Callable[[float], None]) -> None:
        me, dead = str(Holder.current()), ""
        deadline = time.monotonic() + LEASE_SECONDS + _RENEW_EVERY
        while True:
            code, output = self._run(proxy_scripts.ACQUIRE, token, str(LEASE_SECONDS), me, dead)
            if code == 0:
                return
            if code != _LOST:
                raise HostError(f"the ingress {self._container} gave no lease: {output.strip()}")
            held_by, left, holder = [*output.strip().split(" ", 2), "", ""][:3]
            other = Holder.parse(holder)
            if other is not None and other.dead:
                dead = held_by
                continue
            if time.monotonic() > deadline:
                who = f"process {other.pid} on {other.host}" if other else holder
                raise GateError(
                    f"another deploy of this stack is at the gate ({who}, its lease runs for "
                    f"{left} s more and is being renewed); wait for it, then run pulumi up again"
                )
            sleep(1.0)

    def _script(self, script: str, *args: str) -> str:
        code, output = self._run(script, *args)
        if code != 0:
            raise HostError(f"the ingress {self._container} failed ({code}): {output.strip()}")
        return output

    def _run(self, script: str, *args: str) -> tuple[int, str]:
        return self._host.execute(
            self._container, ["sh", "-c", proxy_scripts.LOCKED, script, *args]
        )


class Lease:
    """What only the holder of the lease may do."""

    def __init__(self, ingress: Ingress, token: str) -> None:
        self._ingress = ingress
        self._token = token

    def open_candidates(self, upstreams: Mapping[str, str]) -> str:
        """Let requests with a fresh key reach candidates; returns the key.

        Args:
            upstreams: container:port by service.
        """
        key = secrets.token_hex(16)
        pairs = [part for pair in sorted(upstreams.items()) for part in pair]
        self._ingress._script(proxy_scripts.OPEN_CANDIDATES, self._token, key, *pairs)
        return key

    def close_candidate(self) -> None:
        """Let no request with the key reach anything any more."""
        self._ingress._script(proxy_scripts.CLOSE_CANDIDATE, self._token, secrets.token_hex(16))

    def confirm(self, seen: LiveRoute) -> None:
        """See that nobody else has the lease or has moved the route.

        Raises:
            GateError: the route or the lease is another's by now.
        """
        self._judge(*self._ingress._run(proxy_scripts.CHECK, self._token, seen.route))

    def held(self) -> bool:
        """Whether the lease is still this gate's own; an ingress that is gone gave no other."""
        try:
            code, _ = self._ingress._run(proxy_scripts.CHECK, self._token)
        except HostError:
            return True
        return code == 0

    def job_mark(self, container: str) -> str:
        """What `mark_job` has noted of a container; empty if it has not.

        Args:
            container: its id.
        """
        return self._ingress._script(READ_MARK, container).strip()

    def mark_job(self, container: str, mark: str, known: Iterable[str]) -> None:
        """Note that a job has succeeded, in one step.

        Args:
            container: id of its container.
            mark: what is noted.
            known: ids of containers whose marks are kept; all others are forgotten.

        Raises:
            GateError: the lease is another's by now.
        """
        args = (self._token, container, mark, *known)
        self._judge(*self._ingress._run(WRITE_MARK, *args), "note that a job is done")

    def switch(
        self,
        seen: LiveRoute,
        fingerprint: str,
        upstreams: Mapping[str, str],
        table: str | None = None,
    ) -> LiveRoute:
        """Lead public traffic to `upstreams`, if it still goes where it was seen to go.

        Args:
            seen: where it was seen to go.
            fingerprint: of what it goes to; for the route's name.
            upstreams: container:port by service.
            table: name of the sites that take it there; default: those that took it to `seen`.

        Raises:
            GateError: the route or the lease is another's by now.
        """
        name = f"releases/{fingerprint[:12]}-{secrets.token_hex(4)}"
        found = LiveRoute(name, dict(upstreams), seen.table if table is None else table)
        files = {**upstreams, TABLE: found.table} if found.table else upstreams
        self._switch(seen.route, name, *(part for pair in sorted(files.items()) for part in pair))
        return found

    def switch_back(self, current: LiveRoute, earlier: LiveRoute) -> None:
        """Lead public traffic to where it went before."""
        if earlier.upstreams:
            self.switch(current, "back", earlier.upstreams, earlier.table)
        else:
            self._switch(current.route, "")

    def _switch(self, seen: str, route: str, *pairs: str) -> None:
        self._judge(*self._ingress._run(proxy_scripts.SWITCH, self._token, seen, route, *pairs))

    def _judge(self, code: int, output: str, what: str = "switch") -> None:
        if code in (_LOST, _MOVED):
            raise GateError(
                "another deploy of this stack has taken the route over in the meantime; nothing "
                "was switched; run pulumi up again"
            )
        if code != 0:
            raise HostError(f"the ingress could not {what} ({code}): {output.strip()}")


class _Renewal(threading.Thread):
    """Renews a lease until stopped; a lease that was lost shows at the switch."""

    def __init__(self, token: str, container: str, connect: Callable[[], Host]) -> None:
        super().__init__(name="lease", daemon=True)
        self._token = token
        self._container = container
        self._connect = connect
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_RENEW_EVERY):
            # One renewal that fails, for whatever reason, is made good by the next.
            with suppress(Exception), closing(self._connect()) as host:
                Ingress(host, self._container)._run(
                    proxy_scripts.RENEW, self._token, str(LEASE_SECONDS)
                )

    def stop(self) -> None:
        self._stopped.set()
        self.join()
