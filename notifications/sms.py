"""One text message to one place: a folder for trials, or a gateway by HTTP.

Invariants: an error names a code and never a number; whatever a gateway answers fails for one message alone; a repeat has the same
`Idempotency-Key`, so that a gateway that knows it sends the message once. `docs/operations.md` has the request and what answers mean.
"""

import asyncio
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
import orjson

from notifications.failures import PermanentFailure, TransientFailure
from notifications.sms_format import Sms
from services.settings import Misconfigured

SECONDS = 30.0  # for each step of a request
FOR_GOOD = {400, 422}  # of this message; any other status than 2xx says nothing about it
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
FORM = "AMA_SMS is not of the form file:///folder or https://user:password@host/path."


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in which each message is a file that people can read, and none is sent. Works on files, so call it in a thread."""

    path: Path

    def keep(self, sms: Sms) -> None:
        """Write the message; a repeat replaces it. OSError."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        body = orjson.dumps({"id": sms.id, "to": sms.to, "text": sms.text}, option=orjson.OPT_INDENT_2)
        with tempfile.NamedTemporaryFile(dir=self.path, delete=False) as draft:  # readable by its owner alone
            draft.write(body)
        Path(draft.name).replace(self.path / f"{sms.id}.json")

    def messages(self) -> set[str]:
        """The ids of the messages that are kept."""
        return {path.stem for path in self.path.glob("*.json")}

    def forget(self, messages: Collection[str]) -> None:
        """Remove the files of these messages."""
        for each in messages:
            (self.path / f"{each}.json").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Gateway:
    """An address that takes messages by POST. `user` and `password` are sent as Basic; a password alone as a bearer token."""

    address: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The headers by which the gateway knows us."""
        return {"Authorization": f"Bearer {self.password}"} if self.password and not self.user else {}

    async def post(self, sms: Sms) -> int:
        """The status of the answer, whose body is not read. httpx.HTTPError."""
        auth = httpx.BasicAuth(self.user, self.password or "") if self.user else None
        headers = {**self.headers, "Idempotency-Key": sms.id, "Content-Type": "application/json"}
        body = orjson.dumps({"id": sms.id, "to": sms.to, "text": sms.text})
        async with (
            httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", self.address, content=body, headers=headers, auth=auth) as answer,
        ):
            return answer.status_code


def place_of(address: str) -> Folder | Gateway:
    """Read AMA_SMS. Misconfigured when it is neither a folder nor a gateway; a gateway elsewhere needs TLS."""
    try:
        url = urlsplit(address)
        host = url.hostname
        _ = url.port
    except ValueError as error:
        raise Misconfigured(FORM) from error
    if url.scheme == "file" and not url.netloc and url.path.startswith("/"):
        return Folder(Path(unquote(url.path)))
    if host and (url.scheme == "https" or (url.scheme == "http" and host in LOOPBACK)):
        user, password = (unquote(text) if text else None for text in (url.username, url.password))
        bare = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path or "/", url.query, ""))
        return Gateway(bare, user, password)
    raise Misconfigured(FORM)


async def send(sms: Sms, place: Folder | Gateway) -> None:
    """Hand the message over. Raises PermanentFailure when the gateway refuses it with 400 or 422, TransientFailure otherwise: a refused
    login, or an address that is wrong, says nothing about this message."""
    try:
        if isinstance(place, Folder):
            await asyncio.to_thread(place.keep, sms)
            return
        status = await place.post(sms)
    except Exception as error:  # noqa: BLE001  # the library also raises errors of its own parts, on what a gateway answers
        raise TransientFailure(type(error).__name__) from None
    if status in FOR_GOOD:
        raise PermanentFailure(f"message refused with {status}")
    if not 200 <= status < 300:
        raise TransientFailure(f"gateway answered {status}")
