"""A field of a person at rest."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault import Unopenable, new_person_key, open_sealed, seal
from services.vault.sealing import bound, to_bytes, to_text
from tests.vault.conftest import ANN, BOB, altered

words = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.binary(min_size=32, max_size=32)


@given(keys, words, words, words)
def test_what_was_sealed_opens_as_it_was(key: bytes, person: str, field: str, text: str) -> None:
    assert open_sealed(key, person, field, seal(key, person, field, text)) == text


def test_a_field_moved_to_another_person_does_not_open() -> None:
    key = new_person_key()
    with pytest.raises(Unopenable):
        open_sealed(key, BOB, "name", seal(key, ANN, "name", "Anna"))


def test_a_field_moved_to_another_field_does_not_open() -> None:
    key = new_person_key()
    with pytest.raises(Unopenable):
        open_sealed(key, ANN, "phone", seal(key, ANN, "name", "Anna"))


def test_person_and_field_cannot_lend_each_other_characters() -> None:
    key = new_person_key()
    with pytest.raises(Unopenable):
        open_sealed(key, "ann", "ename", seal(key, "anne", "name", "Anna"))


@given(st.lists(words), st.lists(words))
def test_different_parts_are_never_bound_to_the_same_bytes(one: list[str], other: list[str]) -> None:
    assert (bound(*one) == bound(*other)) == (one == other)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Unopenable):
        open_sealed(new_person_key(), ANN, "name", seal(new_person_key(), ANN, "name", "Anna"))


@pytest.mark.parametrize("text", ["", "A", "An", "Ann", "Anna Rossi, via Italia 12"])
def test_no_character_can_be_changed_unseen(text: str) -> None:
    key = new_person_key()
    for changed in altered(seal(key, ANN, "name", text)):
        with pytest.raises(Unopenable):
            open_sealed(key, ANN, "name", changed)


@given(st.text())
def test_nonsense_does_not_open_and_raises_nothing_else(sealed: str) -> None:
    with pytest.raises(Unopenable):
        open_sealed(bytes(32), ANN, "name", sealed)


@given(st.binary())
def test_nonsense_in_good_spelling_does_not_open_either(raw: bytes) -> None:
    with pytest.raises(Unopenable):
        open_sealed(bytes(32), ANN, "name", "1." + to_text(raw))


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    key = new_person_key()
    assert len({seal(key, ANN, "name", "Anna") for _ in range(1000)}) == 1000


def test_a_key_of_another_size_neither_seals_nor_opens() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        seal(bytes(16), ANN, "name", "Anna")
    with pytest.raises(Unopenable):
        open_sealed(bytes(16), ANN, "name", seal(bytes(32), ANN, "name", "Anna"))


def test_person_keys_have_256_bits_and_differ() -> None:
    made = [new_person_key() for _ in range(100)]
    assert {len(key) for key in made} == {32}
    assert len(set(made)) == 100


def test_a_refusal_names_person_and_field_and_nothing_that_was_sealed() -> None:
    key = new_person_key()
    sealed = seal(key, ANN, "name", "Anna")
    with pytest.raises(Unopenable) as refused:
        open_sealed(os.urandom(32), ANN, "name", sealed)
    assert ANN in str(refused.value)
    assert "name" in str(refused.value)
    assert sealed[2:] not in str(refused.value)


@given(st.binary())
def test_bytes_have_one_spelling(raw: bytes) -> None:
    assert to_bytes(to_text(raw)) == raw
    assert "=" not in to_text(raw)
