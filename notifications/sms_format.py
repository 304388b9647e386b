"""A text message: its number, and its text in the alphabet of GSM (3GPP TS 23.038) as far as that goes.

Invariant: a text in Italian or English is in that alphabet, so that it costs few segments and arrives on every telephone. A character that
it lacks loses its accent; only a text in another script is sent in UCS-2.
"""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from notifications.mail_format import Uncomposable, line

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")  # each takes two places
OTHERWISE = {  # what word processors write, and what it was on the keyboard
    **dict.fromkeys((0x2018, 0x2019), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0xAB, 0xBB), '"'),
    **dict.fromkeys((0x2013, 0x2014), "-"),
    0x2026: "...",
}
LONGEST = 600  # characters: a gateway would cut or refuse more
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN)


@dataclass(frozen=True, slots=True, repr=False)
class Sms:
    """A text message. `to` is a number in E.164."""

    id: str
    to: str
    text: str

    def __repr__(self) -> str:
        return f"Sms({self.id})"


def number_of(text: str) -> str:
    """The number in E.164. Raises Uncomposable with "no-address" when it is none, "no-mobile" when it is of a fixed line."""
    if not re.fullmatch(r"\+[1-9][0-9]{5,14}", text):
        raise Uncomposable("no-address")
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        raise Uncomposable("no-address") from None
    if kind not in MOBILE:
        raise Uncomposable("no-mobile")
    return text


def plain(text: str) -> str:
    """The text on one line, in the alphabet of GSM where that is possible."""
    kept = "".join(map(_in_gsm, line_of(text).translate(OTHERWISE)))
    if len(kept) > LONGEST:
        raise Uncomposable("not-composable")
    return kept


def line_of(text: str) -> str:
    """Put a text into one line, word by word, since `line` takes no more than a header may have."""
    return " ".join(line(word) for word in text.split())


def segments(text: str) -> int:
    """The number of segments that a network counts for the text."""
    if all(each in BASIC or each in EXTENDED for each in text):
        places, one, more = len(text) + sum(each in EXTENDED for each in text), 160, 153
    else:
        places, one, more = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if places <= one else -(-places // more)


def _in_gsm(each: str) -> str:
    if each in BASIC or each in EXTENDED:
        return each
    bare = "".join(part for part in unicodedata.normalize("NFKD", each) if not unicodedata.combining(part))
    return bare if bare and all(part in BASIC for part in bare) else each
