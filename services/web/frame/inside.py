"""A sibling that runs in the same process, asked without a connection: the same application, the same headers, so the same rights.

Invariant: an answer is that which the sibling would have sent, as far as a fragment has it: status, media type and body.
"""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

OK = 200


class Answer(NamedTuple):
    """The answer of a sibling. `kind`: its media type, with parameters."""

    status: int
    kind: str
    body: bytes


class TooLong(Exception):
    """The body of an answer has more bytes than asked for."""


class Broken(Exception):
    """The application of the sibling raised, instead of or in the middle of an answer. Its own middleware has logged that."""


class _Received:
    """The messages of one answer, as an application sends them."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.status, self.kind, self._parts, self._bytes = 0, "", list[bytes](), 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kinds = (value for name, value in message.get("headers", ()) if name.lower() == b"content-type")
            self.kind = next(kinds, b"").decode("latin-1")
            return
        part = message.get("body", b"")
        self._bytes += len(part)
        if self._bytes > self._largest:
            raise TooLong
        self._parts.append(part)

    def answer(self) -> Answer:
        return Answer(self.status, self.kind, b"".join(self._parts))


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def ask(app: ASGIApp, service: str, address: str, headers: Mapping[str, str], largest: int) -> Answer:
    """GET a public path of a sibling, `/{service}/…`. Raises TooLong or Broken."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        # As the sibling is mounted in the process, and behind a proxy.
        "root_path": f"/{service}",
        "headers": [
            (b"host", service.encode()),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()),
        ],
        "client": None,
        "server": None,
        "state": {},
    }
    received = _Received(largest)
    try:
        await app(scope, _no_body, received)
    except TooLong:
        raise
    except Exception as error:
        raise Broken from error
    return received.answer()
