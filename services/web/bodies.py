"""Checks of requests before a route reads them: size, media type, JSON, names that stand twice, and values that an engine cannot store.

Invariants: at most `LARGEST` bytes of a body are held in memory, whatever its header claims and however it is cut into chunks. No field of
an address, a form or a JSON object has two values, of which one would be dropped in silence.
"""

from urllib.parse import unquote_plus, unquote_to_bytes

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.failures import invalid, named
from services.web.problem import problem
from services.web.readable import Malformed, shown, twice, wrong_in
from services.web.request_headers import wrong_headers

LARGEST = 1024 * 1024  # bytes
# A client that is still sending does not read the refusal: so many times the limit is read and thrown away first.
DRAINED = 16
URLENCODED, FILES = "application/x-www-form-urlencoded", "multipart/form-data"  # parsed by the routes that take them


class CheckedBodies:
    """ASGI middleware that reads a whole body, up to the limit, and refuses a wrong one before any route parses it."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when its address and body are right; else answer with a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal: Response | None
        # A larger claim is refused unread: to drain it would cost time, and the answer would be the same.
        if _claims_more(headers, DRAINED * self._largest) or (body := await self._whole(receive)) is None:
            # The connection is closed, since the rest of the body is still on it.
            refusal = problem(413, "too-large", f"A body has at most {self._largest} bytes.", {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        refusal = _wrong_address(scope) or wrong_headers(headers) or (_wrong_body(headers, body) if body else None)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)

    async def _whole(self, receive: Receive) -> bytes | None:
        """Read the body; None when it is too large. Empty when the caller has disconnected, which the server tells the next reader."""
        chunks: list[bytes] = []
        size, more = 0, True
        while more and size <= DRAINED * self._largest:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size <= self._largest:
                chunks.append(chunk)
            else:
                # The rest is read and thrown away, so that a body in many chunks takes no more memory than the limit.
                chunks.clear()
            more = message.get("more_body", False)
        return b"".join(chunks) if size <= self._largest else None


def _claims_more(headers: Headers, largest: int) -> bool:
    claimed = headers.get("content-length", "0")
    # The caller chooses the header: at most 20 digits are parsed, since the time of int() grows with their number.
    return claimed.isdecimal() and int(claimed[:20]) > largest


def _wrong_address(scope: Scope) -> Response | None:
    query = scope.get("query_string", b"")
    return (
        _wrong_text("path", scope.get("raw_path") or b"") or _wrong_text("query", query) or _wrong_names("query", query)
    )


def _wrong_text(place: str, encoded: bytes) -> Response | None:
    """Check a percent-encoded text, of which the framework would replace what it cannot read."""
    text = unquote_to_bytes(encoded)
    if b"\0" in text:
        return invalid([{"field": place, "message": "holds the character NUL"}])
    try:
        text.decode()
    except UnicodeDecodeError:
        return problem(400, "malformed", f"The {place} is not UTF-8.")
    return None


def _wrong_names(place: str, encoded: bytes) -> Response | None:
    """Check that each name is there once. No route takes a list in this form."""
    names = (pair.partition("=")[0] for pair in encoded.decode("latin-1").split("&") if pair)
    name = twice(unquote_plus(each) for each in names)
    return problem(400, "malformed", f"{shown(name)} stands twice in the {place}.") if name is not None else None


def _wrong_body(headers: Headers, body: bytes) -> Response | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    # A file may hold any byte, NUL included, so its bytes are no reason to refuse it.
    if kind == FILES:
        return None
    if kind == URLENCODED:
        return _wrong_text("body", body) or _wrong_names("body", body)
    if kind != "application/json":
        return problem(415, "not-json", "Send application/json.", {"Accept": "application/json"})
    try:
        wrong = wrong_in(body)
    except Malformed as error:
        return problem(400, "malformed-json", f"The body is not JSON: {error}.")
    return invalid([named(("body", *each.path), each.why) for each in wrong]) if wrong else None


def _again(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        # After the body come the server's own messages: an answer that is streamed must see the caller disconnect.
        return waiting.pop() if waiting else await receive()

    return replay
