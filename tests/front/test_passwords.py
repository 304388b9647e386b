"""Passwords: long ones of any kind are taken, those that are guessed first are not, and only their hash is kept."""

import pytest

from services.front.passwords import check, hash_of, new_password, right
from services.settings import Misconfigured


@pytest.mark.parametrize(
    "password",
    ["una frase lunga e solo mia", "quattro cavalli verdi", "ÀÈÌ òù perché così", "xkcd 936 battery", "aZ9!aZ8?bY7#"],
)
def test_a_long_password_is_taken_whatever_characters_it_has(password: str) -> None:
    check(password, "anna")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("kurz", "at least 12 characters"),
        ("undici1char", "at least 12 characters"),
        ("a" * 300, "at most 256"),
        ("aaaaaaaaaaaaaa", "repeats or counts"),
        ("abababababab", "repeats or counts"),
        ("123456789012", "repeats or counts"),
        ("abcdefghijklm", "repeats or counts"),
        ("lkjhgfdsapoiu", "repeats or counts"),
        ("Password12345", "common"),
        ("benvenuto1234", "common"),
        ("Facilitatore2026!", "common"),
        ("forza napoli 1926", "common"),
        ("anna.bianchi1", "account's or the service's name"),
        ("AMA Lavoro 26", "account's or the service's name"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused_with_the_reason(password: str, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        check(password, "anna.bianchi")


def test_a_password_that_is_made_here_is_taken_and_is_another_each_time() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    for each in made:
        check(each, "anna")


async def test_only_the_same_password_opens_however_a_keyboard_composes_it() -> None:
    kept = hash_of("perch\u00e9 no, una frase")
    assert kept.startswith("$argon2id$")
    assert "frase" not in kept
    assert await right("perche\u0301 no, una frase", kept)
    for wrong in ("perche no, una frase", "", "perché no, una frase ", "\ud800"):
        assert not await right(wrong, kept)
    assert not await right("x", None)
    assert not await right("x", "no hash")
