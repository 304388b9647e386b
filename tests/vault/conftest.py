"""Shared by the vault's tests: a folder of keys, and every way to change one character of a text."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import vault

SERVICES = ("enrolment", "grouping", "sessions", "notifications", "analytics")
ANN, BOB = "019a8c52-6d1e-7b64-9f0a-3c5b7a1d2e4f", "019a8c52-6d1e-7b64-9f0a-3c5b7a1d2e50"


def altered(text: str) -> Iterator[str]:
    """Yield the text with each character in turn changed, dropped or doubled, and with one added at the end."""
    for place, old in enumerate(text):
        for new in {"A", "B", "_", "=", ".", " ", "à", chr(ord(old) ^ 1), chr(ord(old) ^ 2), "", old * 2} - {old}:
            changed = text[:place] + new + text[place + 1 :]
            if changed != text:
                yield changed
    yield from (text + more for more in ("A", "=", ".", " ", "\n"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    vault.make_keys(made, SERVICES)
    return made
