"""Limits and headers for every request, as plain ASGI so that streams stay streams."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Room in a request for what is not the file: form fields, part headers.
OVERHEAD_BYTES = 64 * 1024

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class BodyLimit:
    """Refuse a request whose body is too large, before any of it is read.

    The server holds a client to the length that it announced, so the header can be relied upon; a
    body of unannounced length is refused.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            length = headers.get("content-length", "0")
            if "transfer-encoding" in headers:
                refusal = PlainTextResponse("Send the body with a Content-Length.", 411)
                return await refusal(scope, receive, send)
            if not length.isdecimal() or int(length) > self.max_bytes + OVERHEAD_BYTES:
                limit = f"{self.max_bytes // 1024 // 1024} MiB"
                refusal = PlainTextResponse(f"Too large: at most {limit} are accepted.", 413)
                return await refusal(scope, receive, send)
        await self.app(scope, receive, send)


class SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
