"""A text message goes to a folder, or to a real HTTP gateway, and no answer of that ends anything."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from notifications.failures import PermanentFailure, TransientFailure
from notifications.sms import Folder, Gateway, place_of, send
from notifications.sms_format import Sms
from services.settings import Misconfigured

SMS = Sms("019ce2f4", "+393331234567", "AMA Lavoro: come va? è così")


@dataclass
class Taken:
    """A gateway that answers with prepared bytes, and what it was sent."""

    answers: list[bytes]
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((head[0], headers, body))
        writer.write(self.answers.pop(0))
        writer.close()


@asynccontextmanager
async def gateway(*answers: bytes) -> AsyncIterator[Taken]:
    taken = Taken(list(answers))
    server = await asyncio.start_server(taken.serve, "127.0.0.1", 0)
    taken.port = server.sockets[0].getsockname()[1]
    async with server:
        yield taken


def answer(status: str, more: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(more)}\r\n\r\n".encode() + more


async def test_a_gateway_is_sent_number_and_text_with_a_key_that_a_repeat_has_too() -> None:
    async with gateway(answer("202 Accepted"), answer("200 OK")) as taken:
        place = place_of(f"http://ama:p%40ss@127.0.0.1:{taken.port}/send?from=AMA")
        for _ in range(2):
            await send(SMS, place)
    (line, headers, body), again = taken.requests
    assert line == "POST /send?from=AMA HTTP/1.1"
    assert orjson.loads(body) == {"id": SMS.id, "to": SMS.to, "text": SMS.text}
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Basic YW1hOnBAc3M="
    assert headers["idempotency-key"] == again[1]["idempotency-key"] == SMS.id


async def test_a_password_alone_is_a_bearer_token() -> None:
    async with gateway(answer("200 OK")) as taken:
        await send(SMS, place_of(f"http://:t0ken@127.0.0.1:{taken.port}/"))
    assert taken.requests[0][1]["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Content"])
async def test_a_message_that_is_refused_is_given_up(status: str) -> None:
    async with gateway(answer(status, b"number +393331234567 is barred")) as taken:
        with pytest.raises(PermanentFailure) as failure:
            await send(SMS, Gateway(f"http://127.0.0.1:{taken.port}/"))
    assert "393331234567" not in str(failure.value)


STRANGE = [
    answer("401 Unauthorized"),
    answer("404 Not Found"),
    answer("429 Too Many Requests"),
    answer("500 Internal Server Error"),
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"220 mail.example.org ESMTP\r\n",
    b"\x00\xff" * 100,
    b"",
    b"HTTP/1.1 200" + b"x" * 200_000,
]


@pytest.mark.parametrize("given", STRANGE, ids=range(len(STRANGE)))
async def test_any_other_answer_is_a_failure_of_this_attempt(given: bytes) -> None:
    async with gateway(given) as taken:
        with pytest.raises(TransientFailure) as failure:
            await send(SMS, Gateway(f"http://127.0.0.1:{taken.port}/"))
    assert "393331234567" not in str(failure.value)
    assert failure.value.__cause__ is None


async def test_a_body_that_does_not_end_keeps_nobody_waiting() -> None:
    async with gateway(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx") as taken:
        async with asyncio.timeout(5):
            await send(SMS, Gateway(f"http://127.0.0.1:{taken.port}/"))


async def test_a_gateway_that_is_away_may_take_it_another_time() -> None:
    async with gateway() as taken:
        port = taken.port
    with pytest.raises(TransientFailure):
        await send(SMS, Gateway(f"http://127.0.0.1:{port}/"))


async def test_a_folder_keeps_each_message_once_for_its_owner_alone(tmp_path: Path) -> None:
    place = place_of((tmp_path / "texts di prova").as_uri())
    assert isinstance(place, Folder)
    for _ in range(2):
        await send(SMS, place)
    (file,) = (tmp_path / "texts di prova").iterdir()
    assert orjson.loads(file.read_bytes()) == {"id": SMS.id, "to": SMS.to, "text": SMS.text}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert place.messages() == {SMS.id}
    place.forget({SMS.id, "another"})
    assert place.messages() == set()


async def test_a_folder_that_cannot_be_written_is_a_failure_of_the_attempt(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TransientFailure, match="Error"):
        await send(SMS, Folder(tmp_path / "file"))


@pytest.mark.parametrize(
    "address",
    [
        "http://sms.example.org/",
        "smtp://host",
        "https://",
        "file://host/folder",
        "folder",
        "https://host:port/",
        "file:",
    ],
)
def test_an_address_that_is_neither_stops_the_start(address: str) -> None:
    with pytest.raises(Misconfigured, match="AMA_SMS"):
        place_of(address)


def test_no_password_is_shown() -> None:
    place = place_of("https://ama:secret@sms.example.org/x")
    assert place == Gateway("https://sms.example.org/x", "ama", "secret")
    assert "secret" not in repr(place)
