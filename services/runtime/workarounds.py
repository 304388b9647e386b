"""The members of uvicorn's protocol that it does not document, for the limits that it has no setting for.

Invariant: no other module of the package uses one. `tests/runtime/test_connections.py` fails when another version of uvicorn has to be
looked at. Source: `uvicorn/protocols/http/httptools_impl.py`. uvicorn has a limit of open requests and a time for idle connections. It has
no time for headers, body and reading, no size of headers and addresses, and it makes a request of all that a client sends ahead of the
answers. No upstream issue was looked for.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.runtime.connections import Connections, Phase
from services.runtime.received import Received
from services.web.headers import PLAIN
from services.web.problem import problem

SEEN_IN = {"uvicorn": "0.54", "httptools": "0.9"}  # the versions whose source was read
LOOKS = 10  # in the time that a client has to take a byte of its answer
PIECES = 64  # that are parsed before others have their turn: a chunked body may consist of ends


class LimitedProtocol(HttpToolsProtocol):
    """One connection within the limits of its process."""

    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._all, self._limits = connections, connections.limits
        self._sent = 0  # bytes since the end of the last headers
        self._received = Received()
        self._body = 0  # bytes of the body that are still to come, when its length was said
        self._ahead = 0  # requests in a row that came before the answer to the former one
        self._receiving = Phase.HEADERS  # a new connection has to send something
        self._refused = False
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def phase(self) -> Phase:
        """The thing that it waits for."""
        if self.flow.write_paused:
            return Phase.READING
        cycle: Any = self.cycle  # None before the first request, which uvicorn's types do not say
        answered = cycle is None or cycle.response_complete
        return self._receiving if answered or self._receiving is Phase.BODY else Phase.ANSWER

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Take a place among the connections, and wait for the headers."""
        super().connection_made(transport)
        if not self._all.enter(self):
            self._refuse(503, "unavailable", "Too many connections are open at this moment.", {"Retry-After": "2"})
            return
        self._start("receiving", self._limits.headers_within, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free its place among the connections, and stop its timers."""
        self._all.leave(self)
        for name in list(self._timers):
            self._stop(name)
        self._received.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Keep what has come, and parse it up to the end of one request."""
        if self._refused or self.transport.is_closing():
            return  # what comes after a refusal is thrown away
        self._all.used(self)
        self._received.add(data)
        self._parse()

    def _parse(self) -> None:
        """Parse piece by piece until a whole request waits for its answer; others have their turn after some pieces."""
        for _ in range(PIECES):
            if self.transport.is_closing():
                return
            if self._refused or not self._received:
                break
            if self._receiving is Phase.IDLE and not self.cycle.response_complete:
                self.flow.pause_reading()  # uvicorn would queue every request that was sent ahead
                return
            self._parse_piece()
        else:
            self.flow.pause_reading()
            self.loop.call_soon(self._parse)
            return
        if self._receiving is Phase.BODY and not self._refused and not self.cycle.response_complete:
            self.flow.pause_reading()  # until the application asks for more: uvicorn itself would read on
        else:
            self.flow.resume_reading()

    def _parse_piece(self) -> None:
        if self._receiving is Phase.IDLE:
            self._begin()
        piece = self._received.take(self._body)
        if self._receiving is Phase.HEADERS:
            self._sent += len(piece)
        super().data_received(piece)
        if self._receiving is Phase.HEADERS and self._sent > self._limits.headers:
            self._refuse(431, "headers-too-large", f"The headers have at most {self._limits.headers} bytes.")

    def on_headers_complete(self) -> None:
        """Wait for the body. An address that is too long reaches no application."""
        if len(self.url) > self._limits.address:
            self._refuse(414, "address-too-long", f"The address has at most {self._limits.address} bytes.")
            return
        super().on_headers_complete()
        if self._ahead >= self._limits.ahead:
            self.cycle.keep_alive = False  # the client sends the others again, on another connection
        self._receiving, self._sent = Phase.BODY, 0
        # The parser has checked that it is one number.
        self._body = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        self._start("receiving", self._limits.body_within, self._late)

    def on_body(self, body: bytes) -> None:
        """Hand the body to the application, unless the request was refused."""
        self._body = max(0, self._body - len(body))
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing more of this request."""
        if self._refused:
            return
        super().on_message_complete()
        self._receiving, self._body = Phase.IDLE, 0
        self._stop("receiving")

    def on_response_complete(self) -> None:
        """Drop what came of a body that nobody asked for; the rest of it is thrown away as it comes. Go on with what came after it."""
        super().on_response_complete()
        self.cycle.body = bytearray()
        self._ahead = self._ahead + 1 if self._received else 0
        if self.transport.is_closing():
            self._received.clear()
        self._parse()

    def pause_writing(self) -> None:
        """Watch a client that does not read its answer."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """The client has read: stop the timer that would cut it off."""
        super().resume_writing()
        self._stop("reading")
        self._all.used(self)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also one whose client has not read its last answer."""
        self.give_way()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, "malformed", msg)

    def give_way(self) -> None:
        """Close the connection; cut it off when the client does not take what is still to be sent, or can never get all of it."""
        self._stop("receiving")
        if self.phase is Phase.READING and self._answering():
            self.transport.abort()
            return
        if not self.transport.is_closing():
            self.transport.close()
        self._start("closing", self._limits.closes_within, self.transport.abort)

    def _begin(self) -> None:
        self._receiving, self._sent = Phase.HEADERS, 0
        self._start("receiving", self._limits.headers_within, self._late)

    def _late(self) -> None:
        """End a request that did not come in time. A connection on which nothing came is closed without a word."""
        if self._receiving is Phase.HEADERS and not self._sent:
            self.give_way()
        else:
            self._refuse(408, "too-slow", "The request did not come in time.")

    def _watch_reader(self, before: int | None = None, looks: int = 0) -> None:
        """Look now and then if the client has taken something; cut it off after LOOKS in vain."""
        left = self.transport.get_write_buffer_size()
        if before is not None and left < before:
            self._all.used(self)
            looks = 0
        if looks >= LOOKS:
            self.transport.abort()
            return
        self._start("reading", self._limits.reads_within / LOOKS, lambda: self._watch_reader(left, looks + 1))

    def _answering(self) -> bool:
        """Tell if the application is at an answer that is not complete."""
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _refuse(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        """Write a problem document past the application, and close. Only close when the request has its answer, or a part of it."""
        if self._receiving is Phase.BODY and self.cycle.response_started:
            self.give_way()
            return
        answer = problem(status, code, detail, {**PLAIN, **(headers or {}), "Connection": "close"})
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if self._answering():
            # The application hears that nobody waits for its answer: it could not be written any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        # A connection that is closed while bytes of the client are unread is reset, and the client loses the refusal.
        if self._all.refuse(self) and self.transport.can_write_eof():
            self.transport.write_eof()
            self._stop("receiving")
            self._start("closing", self._limits.closes_within, self.transport.abort)
        else:
            self.give_way()

    def _start(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        self._stop(name)
        self._timers[name] = self.loop.call_later(seconds, then)

    def _stop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
