"""Passwords of accounts: which ones are taken, and how they are kept (NIST SP 800-63B, argon2id).

Invariant: a password is in memory alone, and only its hash is stored. No rule asks for kinds of characters.
"""

import asyncio
import re
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.settings import Misconfigured, text_of
from services.web.frame.texts import N_

LEAST, MOST = 12, 256  # characters
DIFFERENT = 5  # characters that differ, at least
COMMON = Path(__file__).parent / "common_passwords.txt"
AT_ONCE = 2  # hashes at a time in one process, since each takes 19 MiB
RUN = "abcdefghijklmnopqrstuvwxyz 01234567890123456789 qwertyuiopasdfghjklzxcvbnm"
LIMITS = {"least": LEAST, "most": MOST}  # the values that a sentence may show


class Fault(StrEnum):
    """The reason for which a password is not taken."""

    SHORT = "short"
    LONG = "long"
    REPEATS = "repeats"
    COMMON = "common"
    NAMED = "named"


SENTENCES = {
    Fault.SHORT: N_("A password has at least %(least)d characters; any characters, and words with blanks, will do."),
    Fault.LONG: N_("A password has at most %(most)d characters."),
    Fault.REPEATS: N_("This password repeats or counts, so it is guessed first: choose another one."),
    Fault.COMMON: N_("This password is among the common ones, which are guessed first: choose another one."),
    Fault.NAMED: N_("This password is made of the account's or the service's name: choose another one."),
}
# OWASP's second recommendation for argon2id: 19 MiB, two passes.
_threads = ThreadPoolExecutor(AT_ONCE, "passwords")
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def new_password() -> str:
    """Make a password of 80 random bits in groups that can be read aloud."""
    characters = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
    return "-".join("".join(secrets.choice(characters) for _ in range(4)) for _ in range(4))


def fault_of(password: str, login: str) -> Fault | None:
    """Tell why a password is guessed first, or cannot be kept; None when it is taken."""
    plain = _plain(password)
    if len(password) < LEAST:
        return Fault.SHORT
    if len(password) > MOST:
        return Fault.LONG
    if len(set(plain)) < DIFFERENT or plain in RUN or plain in RUN[::-1]:
        return Fault.REPEATS
    if plain in _common() or re.sub(r"[^a-z]", "", plain) in _common():
        return Fault.COMMON
    named = (_plain(login), "amalavoro")
    return Fault.NAMED if any(_made_of(word, plain) for word in named) else None


def check(password: str, login: str) -> None:
    """Refuse a password that is guessed first. Misconfigured, one sentence, says why."""
    if (fault := fault_of(password, login)) is not None:
        raise Misconfigured(SENTENCES[fault] % LIMITS)


def _made_of(word: str, plain: str) -> bool:
    return word in plain and len(plain.replace(word, "")) < LEAST // 2


async def hashed(password: str) -> str:
    """Hash a password, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, hash_of, password)


def hash_of(password: str) -> str:
    """Hash a password. Takes some tens of milliseconds."""
    return _hasher.hash(_composed(password))


async def right(password: str, kept: str | None) -> bool:
    """Tell if this is the password of a hash. Without a hash the answer is no, and takes as long: the time tells nobody which accounts
    exist."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: _verified(password, kept or _nobody())) and kept is not None


def outdated(kept: str) -> bool:
    """Tell if a hash was made with other settings than today's."""
    return _hasher.check_needs_rehash(kept)


def _verified(password: str, kept: str) -> bool:
    try:
        return _hasher.verify(kept, _composed(password))
    except (VerificationError, InvalidHashError):
        return False


def _composed(password: str) -> bytes:
    # NIST asks for one form of the same characters, however a keyboard sends them. Half a character cannot be encoded.
    return unicodedata.normalize("NFKC", password).encode(errors="replace")


def _plain(password: str) -> str:
    return unicodedata.normalize("NFKC", password).casefold().replace(" ", "")


@lru_cache(maxsize=1)
def _nobody() -> str:
    return hash_of(secrets.token_urlsafe(16))


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(text_of(COMMON).split())
