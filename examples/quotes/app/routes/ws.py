"""A live view of the application's state."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from app import __version__
from app.dependencies import get_database
from app.store import count_quotations

router = APIRouter()

INTERVAL_SECONDS = 1.0


@router.websocket("/ws/status")
async def status(websocket: WebSocket) -> None:
    """Send the state each second, and answer `ping` with `pong`, until the client leaves."""
    await websocket.accept()
    try:
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(_send_status(websocket))
            await _answer_pings(websocket)
            sender.cancel()
    except* WebSocketDisconnect:
        pass


async def _send_status(websocket: WebSocket) -> None:
    database = get_database(websocket)
    while True:
        await websocket.send_json(
            {
                "quotations": await run_in_threadpool(count_quotations, database),
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "version": __version__,
            }
        )
        await asyncio.sleep(INTERVAL_SECONDS)


async def _answer_pings(websocket: WebSocket) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") == "ping":
            await websocket.send_text("pong")
