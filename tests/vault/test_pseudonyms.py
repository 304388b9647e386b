"""Pseudonyms of a person for partners."""

import hashlib
import hmac
import uuid

from hypothesis import given
from hypothesis import strategies as st

from services.vault import pseudonym
from services.vault.pseudonyms import partner_key
from tests.vault.conftest import ANN, BOB

SECRET = bytes(range(32))
words = st.text(st.characters(exclude_categories=["Cs"]))


def test_it_is_stable() -> None:
    assert pseudonym(SECRET, "monza-brianza", "cgil", ANN) == "e1abefc9-8a65-881b-9bbe-59e649516299"


def test_it_differs_between_persons_partners_programmes_and_installations() -> None:
    given_ = [
        (SECRET, "monza-brianza", "cgil", ANN), (SECRET, "monza-brianza", "cgil", BOB), (SECRET, "monza-brianza", "cisl", ANN),
        (SECRET, "jobs2", "cgil", ANN), (bytes(32), "monza-brianza", "cgil", ANN),
    ]  # fmt: skip
    assert len({pseudonym(*each) for each in given_}) == len(given_)


@given(words, words, words, words)
def test_programme_and_partner_cannot_lend_each_other_characters(a: str, b: str, c: str, d: str) -> None:
    assert (partner_key(SECRET, a, b) == partner_key(SECRET, c, d)) == ((a, b) == (c, d))


@given(words, words, words)
def test_it_is_a_uuid_of_version_8(programme: str, partner: str, person: str) -> None:
    made = uuid.UUID(pseudonym(SECRET, programme, partner, person))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


def test_the_partners_key_is_what_rfc_5869_says() -> None:
    info = b"".join(len(part).to_bytes(4, "big") + part for part in (b"pseudonyms", b"jobs2", b"cgil"))
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    assert partner_key(SECRET, "jobs2", "cgil") == hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def test_the_persons_id_does_not_show_in_it() -> None:
    made = pseudonym(SECRET, "jobs2", "cgil", ANN)
    assert not set(made.split("-")) & set(ANN.split("-"))
