"""Count of answered requests by HTTP status.

Invariant: requests for health are not counted, since load balancers send them all day. No other part of an address is read.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEALTH = ("/healthz", "/readyz")


class Counted:
    """ASGI middleware around all others. A request whose caller disconnects before the answer begins is not counted."""

    def __init__(self, app: ASGIApp, count: Callable[[int], None]) -> None:
        self._app, self._count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count the status of its answer."""
        # By the end of the path, since each service is mounted under its name.
        if scope["type"] != "http" or scope["path"].endswith(HEALTH):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"])
            await send(message)

        await self._app(scope, receive, sending)
