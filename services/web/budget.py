"""The bytes of request bodies that a service holds at a time, and the bodies that give way when there is no room.

Invariants: no more than the budget is held. A body that is still coming never keeps others out: when there is no room, the oldest
unfinished body of the caller who holds the most gives way. A body that is whole keeps its bytes until its request ends.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive

from services.kernel import Unavailable
from services.web.bodies import LARGEST

AGAIN = 2  # seconds after which a caller may come again
FULL = "Too many bodies are being read at this moment."
Caller = tuple[str, ...]  # any name of a caller, the same in all requests of that caller


class Budget:
    """The bodies that a service reads and holds, the one that began first first."""

    def __init__(self, most: int, share: int | None = None) -> None:
        """`most`: bytes of all bodies; `share`: bytes of the bodies of one caller (None: all of them)."""
        self._most, self._share = most, most if share is None else share
        self._bodies: dict[Body, None] = {}

    @property
    def held(self) -> int:
        """The bytes of all bodies."""
        return sum(each.held for each in self._bodies)

    @contextmanager
    def counting(self, caller: Caller) -> Iterator["Body"]:
        """Count one body for as long as its request lasts."""
        body = Body(self, caller)
        self._bodies[body] = None
        try:
            yield body
        finally:
            self._bodies.pop(body, None)

    def make_room(self, body: "Body", more: int) -> None:
        """Let others give way until there are so many bytes for this body. Unavailable when it is its own turn to give way."""
        while (slowest := self._in_the_way(body, more)) is not body:
            if slowest is None:
                return
            slowest.give_way()
            self._bodies.pop(slowest, None)
        raise Unavailable(FULL, after=AGAIN)

    def _in_the_way(self, body: "Body", more: int) -> "Body | None":
        """Give the body that has to give way first; None when there is room."""
        held: dict[Caller, int] = {body.caller: more}
        for each in self._bodies:
            held[each.caller] = held.get(each.caller, 0) + each.held
        coming = [each for each in self._bodies if not each.whole]
        if held[body.caller] > self._share:
            return next((each for each in coming if each.caller == body.caller), body)
        if sum(held.values()) > self._most:
            # `max` gives the first of several: the one that began first.
            return max(coming, key=lambda each: held[each.caller], default=body)
        return None


class Body:
    """One body: its caller, and the bytes of it that came and that are held."""

    def __init__(self, budget: Budget, caller: Caller) -> None:
        self._budget, self.caller = budget, caller
        self.seen, self.held, self.whole = 0, 0, False
        self._gone = False
        self._waiting: asyncio.Timeout | None = None

    async def part(self, receive: Receive) -> Message:
        """Wait for the next message and count its bytes. Unavailable when there is no room for them, or once the body has given way."""
        message = await self._coming(receive)
        self.seen += len(message.get("body", b""))
        # What is beyond the largest body is thrown away by `CheckedBodies`, and takes no memory.
        more = min(self.seen, LARGEST) - self.held
        if self._gone:
            raise Unavailable(FULL, after=AGAIN)
        self._budget.make_room(self, more)
        self.held += more
        self.whole = not message.get("more_body", False)
        return message

    def give_way(self) -> None:
        """Free the bytes, and wake the request that waits for more of them."""
        self._gone, self.held = True, 0
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def _coming(self, receive: Receive) -> Message:
        if self._gone:
            raise Unavailable(FULL, after=AGAIN)
        try:
            async with asyncio.timeout(None) as self._waiting:
                return await receive()
        except TimeoutError:
            if not self._gone:
                raise
            raise Unavailable(FULL, after=AGAIN) from None
        finally:
            self._waiting = None
