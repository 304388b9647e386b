"""Security headers of every answer: no framing, no guessed media type, no cache, no referrer.

Invariant: an address may hold a personal link, so no referrer is sent. An answer may hold a person's data, so no cache keeps it,
unless the route sets another header.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in PLAIN.items()]  # as ASGI has them


class PlainHeaders:
    """ASGI middleware that adds the headers which the route did not set."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the missing headers to its answer."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [each for each in _RAW if each[0] not in names]
            await send(message)

        await self._app(scope, receive, sending)
