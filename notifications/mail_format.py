"""A mail as the bytes that go to the mail server.

Invariants: nothing that a person gave is parsed on its way into a header, because a name can hold an encoded word (RFC 2047) with line
breaks in it; a mail leaves only after its bytes were read back: each header once, as it was meant, and the body as it was composed.
"""

import re
import textwrap
import unicodedata
from binascii import b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.base64mime import header_encode
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Self

from email_validator import EmailNotValidError, validate_email

LONGEST = 200  # characters of a text from outside on one line; enrolment takes names up to this length
LINE = 76  # characters of a header's line, where there is a blank to fold it at
WORD = 45  # bytes in one encoded word, which then has 72 characters of the 75 that are allowed
UNSEEN = {"Cc", "Cs"}  # Unicode categories: control characters, and halves of surrogate pairs
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # turn the direction of all that follows
PLAIN = re.compile(r"[A-Za-z0-9' -]+")


class Uncomposable(Exception):
    """There can be no mail for this message. `reason` is the stable code with which the message is given up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, repr=False)
class Mail:
    """A mail that was read back. `sender` and `recipient` are bare addresses, for the conversation with the mail server."""

    id: str
    sender: str
    recipient: str
    data: bytes

    def __repr__(self) -> str:
        return f"Mail({self.id})"


@dataclass(frozen=True, slots=True, repr=False)
class Mailbox:
    """A display name, which may be empty, and a bare address in ASCII."""

    name: str
    address: str

    @classmethod
    def of_sender(cls, text: str) -> Self | None:
        """Read `Name <address>` from the settings; None when it holds no address."""
        name, address = parseaddr(text)
        return cls(line(name), address) if re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", address) else None

    @classmethod
    def of_person(cls, name: str, address: str) -> Self:
        """Raises Uncomposable with "no-address", or "address-not-ascii": few mail servers take an address with a character outside of
        ASCII before the @ (RFC 6531), and which ones would be known only after a refusal."""
        try:
            valid = validate_email(address, check_deliverability=False)
        except EmailNotValidError:
            raise Uncomposable("no-address") from None
        if valid.ascii_email is None:
            raise Uncomposable("address-not-ascii")
        if "=?" in address:  # the beginning of an encoded word, which some programs decode also in an address
            raise Uncomposable("no-address")
        return cls(line(name), valid.ascii_email)

    def header(self) -> str:
        """Encode it for a header."""
        return f"{_phrase(self.name)} <{self.address}>" if self.name else f"<{self.address}>"

    def reads_as(self, mail: EmailMessage, name: str) -> bool:
        """True when the header of that name holds this mailbox alone."""
        found = [(each.addr_spec, _without_blanks(each.display_name)) for each in mail[name].addresses]
        return found == [(self.address, _without_blanks(self.name))]


def line(text: str) -> str:
    """Return the text on one line: line breaks are blanks, characters that nobody can see are dropped, what is too long is cut."""
    kept = (each for each in text if each.isspace() or not (unicodedata.category(each) in UNSEEN or each in TURNING))
    return " ".join("".join(kept).split())[:LONGEST].strip()


def flatten(mailboxes: Mapping[str, Mailbox], headers: Mapping[str, str], body: str) -> bytes:
    """Return the bytes of a plain text in UTF-8. Raises Uncomposable("not-composable") when they are not read back as meant."""
    encoded = {name: each.header() for name, each in mailboxes.items()}
    encoded |= {name: _text(value) for name, value in headers.items()}
    encoded |= {
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }
    head = "".join(_folded(name, value) for name, value in encoded.items())
    data = head.encode("ascii") + b"\r\n" + b2a_qp(body.replace("\n", "\r\n").encode(), istext=True)
    mail = message_from_bytes(data, _class=EmailMessage, policy=default)
    if not (
        mail.keys() == [*encoded]
        and all(each.reads_as(mail, name) for name, each in mailboxes.items())
        and all(str(mail[name]) == value for name, value in headers.items())
        and _body(mail) == body
    ):
        raise Uncomposable("not-composable")
    return data


def _body(mail: EmailMessage) -> str:
    payload = mail.get_payload(decode=True)
    return payload.decode().replace("\r\n", "\n") if isinstance(payload, bytes) else ""


def _folded(name: str, value: str) -> str:
    """Fold at blanks alone: a word stays whole, and none is longer than `LONGEST`."""
    folding = textwrap.TextWrapper(LINE, f"{name}: ", " ", break_long_words=False, break_on_hyphens=False)
    return "".join(f"{each}\r\n" for each in folding.wrap(value))


def _phrase(name: str) -> str:
    if PLAIN.fullmatch(name):
        return name
    # Programs decode encoded words within quotes too, although RFC 2047 forbids it. So such a name is encoded once more.
    if name.isascii() and "=?" not in name:
        return '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'
    return _encoded_words(name)


def _text(value: str) -> str:
    return value if value.isascii() and "=?" not in value else _encoded_words(value)


def _encoded_words(text: str) -> str:
    """Encode as RFC 2047 says, cut before a blank where there is one: the parser of Python 3.11 and 3.12 adds a blank at a cut."""
    pieces = [""]
    for word in re.findall(r" ?[^ ]+", text):
        for piece in [word] if len(word.encode()) <= WORD else word:
            if len((pieces[-1] + piece).encode()) <= WORD:
                pieces[-1] += piece
            else:
                pieces.append(piece)
    return " ".join(header_encode(each.encode(), "utf-8") for each in pieces)


def _without_blanks(name: str) -> str:
    """The name without its blanks, so that a blank that a parser adds makes no difference."""
    return "".join(name.split())
