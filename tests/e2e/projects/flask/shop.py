"""A shop that greets by way of a queue, and counts the beats of its scheduler."""

import os
import socket
import time

from celery import Celery
from celery.signals import after_task_publish
from flask import Flask, jsonify
from redis import Redis

VERSION = "1"
URL = os.environ["REDIS_URL"]
_KEPT = 1000
"""Beats whose sender is remembered."""

redis = Redis.from_url(URL, decode_responses=True)
jobs = Celery("shop", broker=URL, backend=URL)
jobs.conf.beat_schedule = {"beat": {"task": "shop.beat", "schedule": 1.0, "args": []}}
jobs.conf.beat_schedule_filename = "/tmp/beat"
jobs.conf.broker_connection_retry_on_startup = True
app = Flask(__name__)


@jobs.task(name="shop.greet")
def greet(name: str) -> str:
    return f"Hello {name}, from {VERSION}"


@jobs.task(name="shop.beat", ignore_result=True)
def beat() -> None:
    redis.incr("beats")


@after_task_publish.connect(sender="shop.beat")
def record(**unused: object) -> None:
    """Note in the scheduler's own process which scheduler sends, and when."""
    redis.rpush("senders", f"{socket.gethostname()} {time.time():.3f}")
    redis.ltrim("senders", -_KEPT, -1)


@app.get("/health/")
def health() -> object:
    redis.ping()
    return jsonify(status="ok", version=VERSION)


@app.post("/greet/<name>")
def enqueue(name: str) -> object:
    return jsonify(id=greet.delay(name).id), 202


@app.get("/greet/<job>/result")
def result(job: str) -> object:
    return jsonify(text=greet.AsyncResult(job).get(timeout=10))


@app.get("/beats")
def beats() -> object:
    senders = [entry.split() for entry in redis.lrange("senders", 0, -1)]
    return jsonify(
        beats=int(redis.get("beats") or 0),
        senders=[{"host": host, "at": float(at)} for host, at in senders],
    )
