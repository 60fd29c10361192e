"""A shop that greets by way of a queue, and counts the beats of its scheduler."""

import os
import socket
import time

from celery import Celery
from flask import Flask, jsonify
from redis import Redis

VERSION = "1"
URL = os.environ["REDIS_URL"]

redis = Redis.from_url(URL, decode_responses=True)
jobs = Celery("shop", broker=URL, backend=URL)
jobs.conf.beat_schedule = {"beat": {"task": "shop.beat", "schedule": 1.0, "args": []}}
jobs.conf.beat_schedule_filename = "/tmp/beat"
jobs.conf.broker_connection_retry_on_startup = True
app = Flask(__name__)


@jobs.task(name="shop.greet")
def greet(name: str) -> str:
    return f"Hello {name}, from {VERSION}"


@jobs.task(name="shop.beat")
def beat() -> None:
    redis.incr("beats")


@jobs.on_after_configure.connect
def tell(sender: Celery, **unused: object) -> None:
    redis.rpush("started", f"{socket.gethostname()} {time.time():.1f}")


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
    return jsonify(beats=int(redis.get("beats") or 0))
