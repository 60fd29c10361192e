"""The background worker: renders each new quotation and leaves an e-mail in the outbox.

python -m app.worker           work until SIGTERM or SIGINT, finishing the job in hand
python -m app.worker --check   exit 0 if the worker of this container is alive, else 1
"""

import argparse
import logging
import os
import signal
import socket
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from app import __version__, heartbeat
from app.config import Settings
from app.database import Database
from app.jobs import Job, claim, fail, finish

POLL_SECONDS = 0.5
RETRY_SECONDS = 5.0

log = logging.getLogger("quotes.worker")


class Stop:
    """Whether to stop. A plain flag: a signal handler must not take locks."""

    def __init__(self) -> None:
        self.asked = False

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.asked = True

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.worker")
    parser.add_argument("--check", action="store_true", help="look at the heartbeat and exit")
    options = parser.parse_args(arguments)
    settings = Settings.from_environment(os.environ)
    if options.check:
        return heartbeat.check(settings.heartbeat)

    stop = Stop()
    stop.install()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings.create_folders()
    database = Database(settings.database)
    database.create_schema()
    # Two workers may have the same host name and process id, each in a container of its own.
    name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    log.info("worker %s started, version %s, source %s", name, __version__, settings.source_hash)
    run(settings, database, name, lambda: stop.asked)
    database.close()
    log.info("worker %s stopped", name)
    return 0


def run(settings: Settings, database: Database, name: str, stopping: Callable[[], bool]) -> None:
    """Work on jobs until `stopping()`. The heart beats only while the database answers."""
    while not stopping():
        try:
            job = claim(database, name, time.time())
            if job:
                work(settings, database, job)
            heartbeat.beat(settings.heartbeat)
        except (sqlite3.Error, OSError):
            log.exception("cannot work now, trying again")
            job = None
        if job is None:
            time.sleep(POLL_SECONDS)


def work(settings: Settings, database: Database, job: Job) -> None:
    """Render one document; a failure is recorded with the job and does not stop the worker."""
    try:
        published = _render(settings, database, job)
    except Exception as error:
        log.exception("quotation %s failed, attempt %s", job.quotation_id, job.attempt)
        fail(database, job, repr(error), retry_at=time.time() + RETRY_SECONDS)
        return
    if published:
        log.info("rendered quotation %s", job.quotation_id)
    else:
        log.warning("lost the claim on quotation %s, result dropped", job.quotation_id)


def _render(settings: Settings, database: Database, job: Job) -> bool:
    # Imported here because the PDF library takes long to load, and --check runs every few seconds.
    from app import documents
    from app.store import find_quotation

    quotation = find_quotation(database, job.quotation_id)
    if quotation is None:
        raise LookupError(f"quotation {job.quotation_id} is not in the database")
    document = documents.pdf(quotation)
    files = {
        settings.documents / f"{quotation.number}.pdf": document,
        settings.outbox / f"{quotation.number}.eml": documents.mail(quotation, document),
    }
    drafts = {_draft(path, job): path for path in files}
    try:
        for draft, path in drafts.items():
            draft.write_bytes(files[path])
        return finish(database, job, lambda: _publish(drafts))
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _draft(path: Path, job: Job) -> Path:
    return path.with_name(f".{path.name}.{job.worker}.{job.attempt}")


def _publish(drafts: dict[Path, Path]) -> None:
    for draft, path in drafts.items():
        draft.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
