"""How the requests of a service ended, counted by class of status.

Invariant: health is not counted, since load balancers ask for it all day; an address is never looked at for anything else.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEALTH = ("/healthz", "/readyz")


class Counted:
    """Pure ASGI, outside of everything else. A request whose caller went away before an answer began counts for nothing."""

    def __init__(self, app: ASGIApp, count: Callable[[int], None]) -> None:
        self._app, self._count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""
        if scope["type"] != "http" or scope["path"].endswith(HEALTH):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"])
            await send(message)

        await self._app(scope, receive, sending)
