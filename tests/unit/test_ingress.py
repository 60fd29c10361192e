"""The scripts are run for real, by sh and flock, on a folder in place of the proxy's volume."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from slipway import ingress as module
from slipway import proxy, proxy_scripts
from slipway.errors import GateError, HostError
from slipway.holder import Holder
from slipway.ingress import Ingress, Lease, LiveRoute

SH = shutil.which("sh") or "/bin/sh"
FIRST = {"web": "web-1:8000"}
SECOND = {"web": "web-2:8000", "admin": "admin-2:9000"}


class ScriptHost:
    """A host whose only container is this machine, with a folder in place of the volume."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = os.environ["PATH"]
        self.failing: set[str] = set()
        self.closed = threading.Event()

    def execute(self, name: str, command: Sequence[str]) -> tuple[int, str]:
        assert name == "ingress"
        if self.failing & set(command):
            raise HostError("the ingress does not answer")
        program, *rest = command
        assert program == "sh"
        moved = [SH, *(part.replace(proxy.ROOT, str(self.root)) for part in rest)]
        done = subprocess.run(
            moved,
            env={"PATH": self.path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def close(self) -> None:
        self.closed.set()

    def run(self, script: str, *args: str) -> tuple[int, str]:
        return self.execute("ingress", ["sh", "-c", proxy_scripts.LOCKED, script, *args])


@pytest.fixture
def host(tmp_path: Path) -> ScriptHost:
    return ScriptHost(tmp_path / "volume")


@pytest.fixture
def ingress(host: ScriptHost) -> Ingress:
    return Ingress(host, "ingress")


@pytest.fixture
def lease(host: ScriptHost, ingress: Ingress) -> Lease:
    assert host.run(proxy_scripts.ACQUIRE, "mine", "20", "here/1/2", "") == (0, "")
    return Lease(ingress, "mine")


def tree(root: Path) -> dict[str, str]:
    """All files and links below a folder, but for the lock."""
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if (path.is_symlink() or path.is_file()) and path.name not in ("lock", "lease")
    }


def failing_program(folder: Path, program: str) -> Path:
    """A folder for PATH with a program that fails, as it would on a full disk."""
    (folder / "full").mkdir()
    (folder / "full" / program).write_text(f"#!{SH}\necho no space left >&2\nexit 1\n")
    (folder / "full" / program).chmod(0o755)
    return folder / "full"


def no_sleep(seconds: float) -> None:
    raise AssertionError("nothing to wait for")


# --- the lease ------------------------------------------------------------------------------


def test_lease_is_given_to_one_holder_at_a_time(host: ScriptHost) -> None:
    assert host.run(proxy_scripts.ACQUIRE, "one", "20", "here/1/2", "") == (0, "")
    code, output = host.run(proxy_scripts.ACQUIRE, "two", "20", "there/3/4", "")
    assert code == 9
    assert re.fullmatch(r"one (19|20) here/1/2\n", output)


def test_holder_may_take_its_own_lease_again(host: ScriptHost) -> None:
    host.run(proxy_scripts.ACQUIRE, "one", "20", "here/1/2", "")
    assert host.run(proxy_scripts.ACQUIRE, "one", "20", "here/1/2", "") == (0, "")


def test_expired_lease_is_taken_over(host: ScriptHost) -> None:
    host.run(proxy_scripts.ACQUIRE, "one", "0", "here/1/2", "")
    assert host.run(proxy_scripts.ACQUIRE, "two", "20", "there/3/4", "") == (0, "")
    assert (host.root / "lease").read_text().split()[::2] == ["two", "there/3/4"]


def test_lease_is_taken_over_from_the_named_holder_only(host: ScriptHost) -> None:
    host.run(proxy_scripts.ACQUIRE, "one", "20", "here/1/2", "")
    assert host.run(proxy_scripts.ACQUIRE, "two", "20", "there/3/4", "another")[0] == 9
    assert host.run(proxy_scripts.ACQUIRE, "two", "20", "there/3/4", "one") == (0, "")


def test_renewal_lengthens_the_lease_and_keeps_its_holder(host: ScriptHost) -> None:
    host.run(proxy_scripts.ACQUIRE, "one", "1", "here/1/2", "")
    assert host.run(proxy_scripts.RENEW, "one", "1000") == (0, "")
    token, expires, holder = (host.root / "lease").read_text().split()
    assert (token, holder) == ("one", "here/1/2")
    assert 990 < int(expires) - time.time() <= 1000


@pytest.mark.parametrize(
    "script", [proxy_scripts.RENEW, proxy_scripts.OPEN_CANDIDATES, proxy_scripts.SWITCH]
)
def test_no_script_of_a_holder_works_without_its_lease(host: ScriptHost, script: str) -> None:
    assert host.run(script, "one", "", "releases/x", "web", "web-1:8000")[0] == 9
    host.run(proxy_scripts.ACQUIRE, "two", "20", "here/1/2", "")
    assert host.run(script, "one", "", "releases/x", "web", "web-1:8000")[0] == 9
    assert tree(host.root) == {}


def test_lease_that_is_another_s_is_not_released(host: ScriptHost) -> None:
    host.run(proxy_scripts.ACQUIRE, "one", "20", "here/1/2", "")
    assert host.run(proxy_scripts.RELEASE, "two") == (0, "")
    assert (host.root / "lease").exists()
    assert host.run(proxy_scripts.RELEASE, "one") == (0, "")
    assert not (host.root / "lease").exists()
    assert host.run(proxy_scripts.RELEASE, "one") == (0, "")


def test_many_at_once_get_one_lease(host: ScriptHost) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: codes.append(
                host.run(proxy_scripts.ACQUIRE, f"t{n}", "20", "h/1/2", "")[0]
            )
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0] + [9] * 7


def test_gate_holds_its_lease_and_gives_it_back(host: ScriptHost, ingress: Ingress) -> None:
    with ingress.lease(lambda: host, no_sleep):
        assert (host.root / "lease").read_text().split()[2] == str(Holder.current())
    assert not (host.root / "lease").exists()


def test_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once(
    host: ScriptHost, ingress: Ingress
) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        dead = replace(Holder.current(), pid=process.pid)
        process.kill()
    host.run(proxy_scripts.ACQUIRE, "killed", "1000", str(dead), "")
    with ingress.lease(lambda: host, no_sleep):
        assert (host.root / "lease").read_text().split()[2] == str(Holder.current())


def test_lease_of_a_process_whose_number_was_given_again_is_taken_over(
    host: ScriptHost, ingress: Ingress
) -> None:
    mine = Holder.current()
    host.run(proxy_scripts.ACQUIRE, "old", "1000", str(replace(mine, started=1)), "")
    with ingress.lease(lambda: host, no_sleep):
        assert (host.root / "lease").read_text().split()[2] == str(mine)


@pytest.mark.parametrize("holder", ["elsewhere/17/1700000000/boot:pid:[1]", "not a holder"])
def test_gate_waits_for_the_lease_of_an_unknown_process(
    host: ScriptHost, ingress: Ingress, holder: str
) -> None:
    host.run(proxy_scripts.ACQUIRE, "other", "1000", holder, "")
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            host.run(proxy_scripts.RELEASE, "other")

    with ingress.lease(lambda: host, wait):
        pass
    assert waited == [1.0, 1.0, 1.0]


def test_gate_gives_up_on_a_lease_that_is_renewed_and_says_whose_it_is(
    host: ScriptHost, ingress: Ingress, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds
        host.run(proxy_scripts.RENEW, "other", "1000")

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    host.run(proxy_scripts.ACQUIRE, "other", "1000", "elsewhere/17/1700000000/boot:pid:[1]", "")
    with pytest.raises(GateError) as caught, ingress.lease(lambda: host, wait):
        pass
    assert re.fullmatch(
        r"another deploy of this stack is at the gate \(process 17 on elsewhere, its lease runs "
        r"for (999|1000) s more and is being renewed\); wait for it, then run pulumi up again",
        str(caught.value),
    )
    assert now == [26.0]


def test_lease_is_renewed_while_it_is_held_though_the_engine_fails_once(
    host: ScriptHost, ingress: Ingress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RENEW_EVERY", 0.02)
    attempts: list[int] = []

    def connect() -> ScriptHost:
        attempts.append(1)
        if len(attempts) == 1:
            raise HostError("no Docker engine answers")
        return host

    with ingress.lease(connect, no_sleep):
        token, _, holder = (host.root / "lease").read_text().split()
        host.run(proxy_scripts.ACQUIRE, token, "1", holder, "")
        deadline = time.monotonic() + 10
        left = 0.0
        while left < 15 and time.monotonic() < deadline:
            time.sleep(0.02)
            left = int((host.root / "lease").read_text().split()[1]) - time.time()
        assert 15 <= left <= 20
    assert host.closed.is_set()


def test_ingress_that_gives_no_lease_for_another_reason_says_which(
    host: ScriptHost, ingress: Ingress
) -> None:
    host.path = "/nowhere"
    with pytest.raises(HostError, match=r"(?s)^the ingress ingress gave no lease: .*mkdir"):
        ingress._acquire("mine", no_sleep)


@pytest.mark.parametrize("script", [proxy_scripts.CLOSE_CANDIDATE, proxy_scripts.RELEASE])
def test_lease_that_cannot_be_given_back_hides_no_failure(
    host: ScriptHost, ingress: Ingress, script: str
) -> None:
    host.failing = {script}
    with pytest.raises(GateError, match=r"^the first$"), ingress.lease(lambda: host, no_sleep):
        raise GateError("the first")


@pytest.mark.parametrize("script", [proxy_scripts.CLOSE_CANDIDATE, proxy_scripts.RELEASE])
def test_lease_that_cannot_be_given_back_fails_no_release(
    host: ScriptHost, ingress: Ingress, script: str
) -> None:
    host.failing = {script}
    with ingress.lease(lambda: host, no_sleep) as lease:
        route = lease.switch(LiveRoute(), "1" * 64, FIRST)
    assert ingress.live() == route


# --- the route ------------------------------------------------------------------------------


def test_new_ingress_has_no_route(ingress: Ingress) -> None:
    assert ingress.live() == LiveRoute()


def test_route_that_no_gate_made_counts_as_none(host: ScriptHost, ingress: Ingress) -> None:
    (host.root / "by-hand").mkdir(parents=True)
    (host.root / "by-hand/web").write_text("web-1:8000\n")
    (host.root / "live").symlink_to("by-hand")
    assert ingress.live() == LiveRoute()


def test_switch_leads_all_services_to_the_release(
    host: ScriptHost, ingress: Ingress, lease: Lease
) -> None:
    route = lease.switch(LiveRoute(), "f" * 64, SECOND)
    assert re.fullmatch(r"releases/f{12}-[0-9a-f]{8}", route.route)
    assert ingress.live() == route == LiveRoute(route.route, SECOND)
    assert tree(host.root) == {
        "live": route.route,
        f"{route.route}/admin": "admin-2:9000\n",
        f"{route.route}/web": "web-2:8000\n",
    }


def test_route_tells_the_sites_that_it_is_for(
    host: ScriptHost, ingress: Ingress, lease: Lease
) -> None:
    first = lease.switch(LiveRoute(), "1" * 64, FIRST, "old-sites")
    held = lease.switch(first, "held", SECOND)
    second = lease.switch(held, "2" * 64, SECOND, "new-sites")
    assert [first.table, held.table, second.table] == ["old-sites", "old-sites", "new-sites"]
    assert ingress.live() == second == LiveRoute(second.route, SECOND, "new-sites")
    lease.switch_back(second, first)
    back = ingress.live()
    assert back == LiveRoute(back.route, FIRST, "old-sites")


def test_switch_back_leads_to_the_earlier_release_again(ingress: Ingress, lease: Lease) -> None:
    first = lease.switch(LiveRoute(), "1" * 64, FIRST)
    second = lease.switch(first, "2" * 64, SECOND)
    lease.switch_back(second, first)
    assert ingress.live().upstreams == first.upstreams


def test_switch_back_to_nothing_takes_the_first_route_away(
    host: ScriptHost, ingress: Ingress, lease: Lease
) -> None:
    first = lease.switch(LiveRoute(), "1" * 64, FIRST)
    lease.switch_back(first, LiveRoute())
    assert ingress.live() == LiveRoute()
    assert not (host.root / "live").is_symlink()


def test_only_the_live_route_and_the_one_before_are_kept(host: ScriptHost, lease: Lease) -> None:
    route = LiveRoute()
    routes = []
    for number in range(4):
        route = lease.switch(route, str(number) * 64, FIRST)
        routes.append(route.route)
    kept = sorted(f"releases/{path.name}" for path in (host.root / "releases").iterdir())
    assert kept == sorted(routes[-2:])


def test_route_that_moved_since_it_was_seen_is_not_switched(
    host: ScriptHost, ingress: Ingress, lease: Lease
) -> None:
    first = lease.switch(LiveRoute(), "1" * 64, FIRST)
    assert host.run(proxy_scripts.SWITCH, "mine", "", "releases/x", "web", "web-3:1")[0] == 8
    with pytest.raises(GateError) as caught:
        lease.switch(LiveRoute(), "3" * 64, {"web": "web-3:8000"})
    assert str(caught.value) == (
        "another deploy of this stack has taken the route over in the meantime; nothing was "
        "switched; run pulumi up again"
    )
    assert ingress.live() == first


def test_lost_lease_means_no_switch(host: ScriptHost, ingress: Ingress, lease: Lease) -> None:
    host.run(proxy_scripts.ACQUIRE, "other", "20", "there/3/4", "mine")
    assert host.run(proxy_scripts.SWITCH, "mine", "", "releases/x", "web", "web-3:1")[0] == 9
    with pytest.raises(GateError, match=r"^another deploy of this stack has taken the route over"):
        lease.switch(LiveRoute(), "1" * 64, FIRST)
    assert ingress.live() == LiveRoute()


def test_route_is_on_the_disk_before_it_is_led_to(
    host: ScriptHost, lease: Lease, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sync").write_text(
        f'#!{SH}\necho "$@" > {tmp_path}/synced\n[ ! -e live ] || echo late >> {tmp_path}/synced\n'
    )
    (tmp_path / "bin/sync").chmod(0o755)
    host.path = f"{tmp_path / 'bin'}:{host.path}"
    lease.switch(LiveRoute(), "1" * 64, SECOND)
    assert (tmp_path / "synced").read_text() == "new/admin new/web new\n"


def test_proxy_whose_image_cannot_sync_is_switched_all_the_same(
    host: ScriptHost, ingress: Ingress, lease: Lease, tmp_path: Path
) -> None:
    host.path = f"{failing_program(tmp_path, 'sync')}:{host.path}"
    route = lease.switch(LiveRoute(), "1" * 64, FIRST)
    assert ingress.live() == route


@pytest.mark.parametrize("program", ["mkdir", "mv", "ln"])
def test_switch_of_which_a_step_fails_is_an_error_and_changes_nothing(
    host: ScriptHost, ingress: Ingress, lease: Lease, tmp_path: Path, program: str
) -> None:
    first = lease.switch(LiveRoute(), "1" * 64, FIRST)
    path = host.path
    host.path = f"{failing_program(tmp_path, program)}:{path}"
    with pytest.raises(HostError) as caught:
        lease.switch(first, "2" * 64, SECOND)
    assert str(caught.value) == "the ingress could not switch (1): no space left"
    host.path = path
    assert ingress.live() == first


@pytest.mark.parametrize("program", ["mkdir", "mv", "rm"])
def test_candidate_of_which_a_step_fails_is_an_error(
    host: ScriptHost, lease: Lease, tmp_path: Path, program: str
) -> None:
    host.path = f"{failing_program(tmp_path, program)}:{host.path}"
    with pytest.raises(HostError) as caught:
        lease.open_candidates({"web": "web-2:8000"})
    assert str(caught.value) == "the ingress ingress failed (1): no space left"


def test_requests_never_find_a_moment_without_a_route(
    host: ScriptHost, ingress: Ingress, lease: Lease
) -> None:
    route = lease.switch(LiveRoute(), "0" * 64, FIRST)
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.add((host.root / "live/web").read_text())
            except OSError as error:
                seen.add(type(error).__name__)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(10):
        route = lease.switch(route, "1" * 64, {"web": f"web-{number}:8000"})
    done.set()
    reader.join()
    assert seen <= {"web-1:8000\n", *(f"web-{number}:8000\n" for number in range(10))}
    assert len(seen) > 1


# --- the candidate --------------------------------------------------------------------------


def test_candidates_are_reached_with_one_key(host: ScriptHost, lease: Lease) -> None:
    key = lease.open_candidates({"web": "web-2:8000", "admin": "admin-2:9000"})
    assert tree(host.root) == {
        "candidate/.key": key,
        "candidate/admin": "admin-2:9000\n",
        "candidate/web": "web-2:8000\n",
    }
    assert re.fullmatch(r"[0-9a-f]{32}", key)


def test_each_gate_gets_a_key_of_its_own_and_leaves_no_candidate_of_another(
    host: ScriptHost, lease: Lease
) -> None:
    first = lease.open_candidates({"web": "web-2:8000"})
    second = lease.open_candidates({"admin": "admin-2:9000"})
    assert first != second
    assert tree(host.root) == {"candidate/.key": second, "candidate/admin": "admin-2:9000\n"}


def test_closed_candidate_has_a_key_that_nobody_knows(host: ScriptHost, lease: Lease) -> None:
    key = lease.open_candidates({"web": "web-2:8000"})
    lease.close_candidate()
    found = (host.root / "candidate/.key").read_text()
    assert re.fullmatch(r"[0-9a-f]{32}", found)
    assert found != key


def test_candidate_of_another_gate_is_not_closed(host: ScriptHost, lease: Lease) -> None:
    key = lease.open_candidates({"web": "web-2:8000"})
    assert host.run(proxy_scripts.CLOSE_CANDIDATE, "other", "another key") == (0, "")
    assert (host.root / "candidate/.key").read_text() == key


def test_candidate_is_closed_when_its_gate_ends(host: ScriptHost, ingress: Ingress) -> None:
    with ingress.lease(lambda: host, no_sleep) as held:
        key = held.open_candidates({"web": "web-2:8000"})
    assert (host.root / "candidate/.key").read_text() != key


def test_candidate_that_cannot_be_opened_is_an_error(host: ScriptHost, ingress: Ingress) -> None:
    with pytest.raises(HostError, match=r"^the ingress ingress failed \(9\): $"):
        Lease(ingress, "nobody").open_candidates({"web": "web-2:8000"})


# --- requests in flight ---------------------------------------------------------------------


@pytest.fixture
def answers(host: ScriptHost, tmp_path: Path) -> Callable[[str, str], None]:
    """Puts a program on PATH in place of the one that asks Caddy."""
    folder = tmp_path / "bin"
    folder.mkdir()
    host.path = str(folder)

    def put(program: str, body: str) -> None:
        (folder / program).write_text(f'#!{SH}\necho "$@" > {tmp_path}/asked\n{body}\n')
        (folder / program).chmod(0o755)

    return put


UPSTREAMS = (
    "echo '["
    '{"address": "web-1:8000", "num_requests": 2, "fails": 0},'
    '{"address": "web-2:8000", "num_requests": 7, "fails": 0},'
    '{"address": "web-1:8000", "num_requests": 1, "fails": 0}'
    "]'"
)


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        ("curl", "-fsS http://127.0.0.1:2019/reverse_proxy/upstreams\n"),
        ("wget", "-qO- http://127.0.0.1:2019/reverse_proxy/upstreams\n"),
    ],
)
def test_requests_in_flight_are_those_of_all_routes_to_the_upstream(
    ingress: Ingress,
    answers: Callable[[str, str], None],
    tmp_path: Path,
    program: str,
    asked: str,
) -> None:
    answers(program, UPSTREAMS)
    assert ingress.in_flight("web-1:8000") == 3
    assert ingress.in_flight("web-3:8000") == 0
    assert (tmp_path / "asked").read_text() == asked


def test_ingress_that_does_not_tell_its_upstreams_is_an_error(
    ingress: Ingress, answers: Callable[[str, str], None]
) -> None:
    answers("curl", "echo refused >&2; exit 7")
    with pytest.raises(
        HostError, match=r"^the ingress ingress does not tell its upstreams: refused\n$"
    ):
        ingress.in_flight("web-1:8000")


@pytest.mark.parametrize("said", ["not json", '[{"address": "web-1:8000"}]', "null", "[3]"])
def test_ingress_that_tells_something_else_than_its_upstreams_is_an_error(
    ingress: Ingress, answers: Callable[[str, str], None], said: str
) -> None:
    answers("curl", f"echo '{said}'")
    with pytest.raises(HostError, match="tells something else than its upstreams: "):
        ingress.in_flight("web-1:8000")


# --- marks of jobs --------------------------------------------------------------------------


def test_mark_of_a_job_is_read_as_it_was_written(host: ScriptHost, lease: Lease) -> None:
    assert lease.job_mark("a1") == ""
    lease.mark_job("a1", "done d1 d2", ["a1", "d1", "d2"])
    assert lease.job_mark("a1") == "done d1 d2"
    assert lease.job_mark("b2") == ""
    assert tree(host.root) == {"done/a1": "done d1 d2\n"}


def test_marks_of_containers_that_are_gone_are_forgotten(host: ScriptHost, lease: Lease) -> None:
    lease.mark_job("a1", "done", [])
    lease.mark_job("a2", "done", ["a1"])
    lease.mark_job("a3", "done", ["a2", "d1"])
    assert tree(host.root) == {"done/a2": "done\n", "done/a3": "done\n"}


def test_mark_is_not_written_without_the_lease(host: ScriptHost, ingress: Ingress) -> None:
    host.run(proxy_scripts.ACQUIRE, "theirs", "20", "there/3/4", "")
    with pytest.raises(GateError, match="another deploy of this stack"):
        Lease(ingress, "mine").mark_job("a1", "done", [])
    assert tree(host.root) == {}


@pytest.mark.parametrize("program", ["mkdir", "mv"])
def test_mark_that_cannot_be_written_is_an_error_and_no_mark(
    host: ScriptHost, lease: Lease, tmp_path: Path, program: str
) -> None:
    host.path = f"{failing_program(tmp_path, program)}:{host.path}"
    with pytest.raises(HostError, match=r"\(1\): no space left$"):
        lease.mark_job("a1", "done", [])
    assert not (host.root / "done/a1").exists()
