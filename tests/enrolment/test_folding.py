"""A name is found however it is typed: accents, apostrophes, blanks and case make no difference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolment.folding import parts_of, words_of


def finds(query: str, name: str) -> bool:
    """Tell whether each word of the query begins a word of the name."""
    words, parts = words_of(query), parts_of(name)
    return bool(words) and all(any(part.startswith(word) for part in parts) for word in words)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Muggiò", "Muggiò"), ("muggio", "Muggiò"), ("MUGGIO'", "Muggiò"), ("mugg", "Muggio\u0300"), ("Muggiò", "Muggio'"),
        ("d'angelo", "D'Angelo"), ("D\u2019Angelo", "D'Angelo"), ("dangelo", "D\u2019Angelo"), ("angelo", "D'Angelo"),
        ("d angelo", "D'Angelo"), ("D' Ang", "D'Angelo"), ("D'Angelo", "Dangelo"),
        ("de luca", "De Luca"), ("deluca", "De Luca"), ("luca", "De Luca"), ("mariagr", "Maria Grazia"), ("grazia", "Maria Grazia"),
        ("rossi-bianchi", "Rossi-Bianchi"), ("bianchi rossi", "Rossi-Bianchi"), ("Lukasz", "Łukasz"), ("strasse", "Straße"),
        ("İpek", "ipek"), ("sørensen", "Sorensen"), ("沈", "沈"), ("عائشة", "عائشة"),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_typed(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [("angela", "D'Angelo"), ("ossi", "Rossi"), ("luca de x", "De Luca"), ("", "Rossi"), ("'-", "Rossi")],
)
def test_another_name_the_middle_of_a_word_and_nothing_find_nobody(query: str, name: str) -> None:
    assert not finds(query, name)


@given(st.text(min_size=1, max_size=40))
def test_every_name_is_found_by_itself_unless_it_has_no_word(name: str) -> None:
    assert finds(name, name) == bool(words_of(name))


@given(st.text(max_size=40))
def test_folding_is_done_after_one_time(text: str) -> None:
    assert words_of(" ".join(words_of(text))) == words_of(text)
