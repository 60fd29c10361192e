"""The queue of documents to render, kept in the database.

While a release replaces another, workers of both take from this queue. A claim is one statement
under the write lock, so a job goes to one worker. The lease is for a worker that was killed: when it
runs out, another may take the job, and the first, should it still be alive, can no longer finish it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.database import Database

LEASE_SECONDS = 60.0
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Job:
    """A claim on a job; `attempt` tells it from earlier and later claims on the same one."""

    quotation_id: int
    worker: str
    attempt: int


def claim(database: Database, worker: str, now: float) -> Job | None:
    """Take the oldest open job for `worker`; `now` is in seconds since the epoch."""
    with database.transaction() as connection:
        # A job that kills its worker each time must not do so for ever.
        connection.execute(
            """
            UPDATE jobs SET state = 'failed', error = 'the worker died while rendering'
            WHERE state = 'running' AND lease_until < ? AND attempts >= ?
            """,
            (now, MAX_ATTEMPTS),
        )
        row = connection.execute(
            """
            UPDATE jobs
            SET state = 'running', worker = ?, attempts = attempts + 1, lease_until = ?
            WHERE quotation_id = (
                SELECT quotation_id FROM jobs
                WHERE state IN ('queued', 'running') AND lease_until < ?
                ORDER BY quotation_id LIMIT 1
            )
            RETURNING quotation_id, attempts
            """,
            (worker, now + LEASE_SECONDS, now),
        ).fetchone()
    return Job(row["quotation_id"], worker, row["attempts"]) if row else None


def finish(database: Database, job: Job, publish: Callable[[], None]) -> bool:
    """Call `publish` and mark the job as done, unless the claim was lost: then do neither.

    `publish` runs under the write lock, so no other worker can publish the same document; it must be
    quick, and harmless to repeat after a crash between it and the commit.
    """
    with database.transaction() as connection:
        changed = connection.execute(
            """
            UPDATE jobs SET state = 'done', error = NULL
            WHERE quotation_id = ? AND worker = ? AND attempts = ? AND state = 'running'
            """,
            (job.quotation_id, job.worker, job.attempt),
        ).rowcount
        if changed:
            publish()
    return bool(changed)


def fail(database: Database, job: Job, error: str, retry_at: float) -> None:
    """Put the job back until `retry_at`, or give it up after the last attempt."""
    with database.transaction() as connection:
        connection.execute(
            """
            UPDATE jobs
            SET state = CASE WHEN attempts >= ? THEN 'failed' ELSE 'queued' END,
                lease_until = ?, error = ?
            WHERE quotation_id = ? AND worker = ? AND attempts = ? AND state = 'running'
            """,
            (MAX_ATTEMPTS, retry_at, error, job.quotation_id, job.worker, job.attempt),
        )
