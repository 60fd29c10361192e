import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from app import documents, jobs
from app.config import Settings
from app.database import Database
from app.heartbeat import MAX_AGE_SECONDS, beat, problem
from app.jobs import LEASE_SECONDS, MAX_ATTEMPTS, claim, fail, finish
from app.models import QuotationRequest
from app.store import add_quotation, find_quotation
from app.worker import main, run, work

NOW = 1_000_000.0
ROOT = Path(__file__).parent.parent


def state_of(database: Database, quotation_id: int) -> str:
    quotation = find_quotation(database, quotation_id)
    assert quotation is not None
    return quotation.document_state


def test_new_quotation_becomes_a_document_and_a_mail(
    settings: Settings, database: Database, request_for_window: QuotationRequest
) -> None:
    add_quotation(database, request_for_window)
    job = claim(database, "one", NOW)
    assert job is not None
    work(settings, database, job)
    assert state_of(database, 1) == "done"
    document = (settings.documents / "Q-00001.pdf").read_bytes()
    assert document.startswith(b"%PDF-")
    mail = message_from_bytes((settings.outbox / "Q-00001.eml").read_bytes(), policy=policy.default)
    assert mail["To"] == "ada@example.com"
    assert [part.get_content() for part in mail.iter_attachments()] == [document]
    assert sorted(os.listdir(settings.documents)) == ["Q-00001.pdf"]
    assert sorted(os.listdir(settings.outbox)) == ["Q-00001.eml"]


@pytest.mark.parametrize("customer", ["Łukasz Żak", "王小明", "Ωmega & Söhne", "x" * 120])
def test_any_name_can_be_printed(
    database: Database, request_for_window: QuotationRequest, customer: str
) -> None:
    quotation = add_quotation(
        database, request_for_window.model_copy(update={"customer": customer})
    )
    document = documents.pdf(quotation)
    assert document.startswith(b"%PDF-")
    assert documents.mail(quotation, document)


def test_overlapping_workers_never_share_a_job(
    settings: Settings, database: Database, request_for_window: QuotationRequest
) -> None:
    for _ in range(40):
        add_quotation(database, request_for_window)

    def claim_all(worker: str) -> list[int]:
        own = Database(settings.database)
        claimed = []
        while job := claim(own, worker, NOW):
            claimed.append(job.quotation_id)
        own.close()
        return claimed

    with ThreadPoolExecutor(4) as threads:
        shares = list(threads.map(claim_all, ["a", "b", "c", "d"]))
    assert sorted(number for share in shares for number in share) == list(range(1, 41))


def test_job_of_a_killed_worker_is_taken_over_when_its_lease_ends(
    database: Database, request_for_window: QuotationRequest
) -> None:
    add_quotation(database, request_for_window)
    lost = claim(database, "killed", NOW)
    assert lost is not None
    assert claim(database, "other", NOW + LEASE_SECONDS) is None
    taken = claim(database, "other", NOW + LEASE_SECONDS + 1)
    assert taken is not None

    published: list[str] = []
    assert not finish(database, lost, lambda: published.append("killed"))
    assert finish(database, taken, lambda: published.append("other"))
    assert not finish(database, taken, lambda: published.append("again"))
    assert published == ["other"]


def test_failing_job_is_tried_again_and_then_given_up(
    database: Database, request_for_window: QuotationRequest
) -> None:
    add_quotation(database, request_for_window)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        job = claim(database, "one", NOW + attempt)
        assert job is not None
        assert job.attempt == attempt
        fail(database, job, "no ink", retry_at=NOW + attempt + 0.5)
    assert claim(database, "one", NOW + 1000) is None
    assert state_of(database, 1) == "failed"


def test_job_that_kills_its_workers_is_given_up(
    database: Database, request_for_window: QuotationRequest
) -> None:
    add_quotation(database, request_for_window)
    for attempt in range(MAX_ATTEMPTS):
        assert claim(database, "one", NOW + attempt * (LEASE_SECONDS + 1))
    assert claim(database, "one", NOW + MAX_ATTEMPTS * (LEASE_SECONDS + 1)) is None
    assert state_of(database, 1) == "failed"


def test_failure_is_recorded_and_the_worker_goes_on(
    settings: Settings,
    database: Database,
    request_for_window: QuotationRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_paper(*_: object) -> bytes:
        raise RuntimeError("no paper")

    monkeypatch.setattr(documents, "pdf", no_paper)
    add_quotation(database, request_for_window)
    job = claim(database, "one", NOW)
    assert job is not None
    work(settings, database, job)
    assert state_of(database, 1) == "queued"
    with database.connection() as connection:
        error = connection.execute("SELECT error FROM jobs").fetchone()[0]
    assert error == "RuntimeError('no paper')"


def test_heart_does_not_beat_while_the_database_fails(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.POLL_SECONDS", 0)
    answers = iter([False, True])
    with database.transaction() as connection:
        connection.execute("DROP TABLE jobs")
    run(settings, database, "one", lambda: next(answers))
    assert not settings.heartbeat.exists()

    database.create_schema()
    answers = iter([False, True])
    run(settings, database, "one", lambda: next(answers))
    assert settings.heartbeat.exists()


def test_check_judges_the_age_of_the_heartbeat(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTES_HEARTBEAT", str(settings.heartbeat))
    assert main(["--check"]) == 1
    beat(settings.heartbeat)
    assert main(["--check"]) == 0
    beaten = settings.heartbeat.stat().st_mtime
    assert problem(settings.heartbeat, beaten + MAX_AGE_SECONDS) is None
    assert problem(settings.heartbeat, beaten + 60) == "last heartbeat 60 s ago, allowed are 15 s"


def test_sigterm_ends_the_process_cleanly(
    settings: Settings, database: Database, request_for_window: QuotationRequest
) -> None:
    add_quotation(database, request_for_window)
    environment = {
        **os.environ,
        "QUOTES_DATA_DIR": str(settings.data_dir),
        "QUOTES_HEARTBEAT": str(settings.heartbeat),
    }
    worker = subprocess.Popen([sys.executable, "-m", "app.worker"], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 20
        while state_of(database, 1) != "done" and time.monotonic() < deadline:
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=5) == 0
    finally:
        worker.kill()
        worker.wait()
    assert state_of(database, 1) == "done"
    assert jobs.claim(database, "later", time.time()) is None
