"""The length of what is encrypted tells nothing of its content: present and absent, one answer and another, are equally long."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grouping.wishes import WIDTH
from services.contracts import Restricted, catalogue
from services.contracts.enrolment import SelfReferralOpened
from services.contracts.grouping import PairWished, Wish
from services.contracts.paths import ComplaintReplied, RequestLinked, WorkerSignposted
from services.contracts.sampling import PERSON, sample
from services.contracts.schema import schema_of
from services.contracts.sessions import SurveyLinked
from services.programmes.instruments import load_all as instruments
from services.vault import decrypt_payload, encrypt_payload, new_person_key, open_sealed, seal
from services.vault.sealing import LEAST, STEP, bound, encrypt, padded_size, to_bytes, to_text

KEY = new_person_key()
RESTRICTED = sorted((kind for kind in catalogue().values() if issubclass(kind, Restricted)), key=lambda kind: kind.type)
NUMBERS = (0, 7, 64.0, 100, 33.333333333333336)
words = st.text(st.characters(exclude_categories=["Cs"]))


def values_of(field: Any, sampled: Any) -> Iterator[Any]:
    """The values of a field between which its length could tell."""
    for each in field.get("anyOf", [field]):
        kind = each.get("type")
        if kind in {"null", "boolean"}:
            yield from [None] if kind == "null" else [True, False]
        elif kind in {"integer", "number"}:
            yield from (number for number in NUMBERS if kind == "number" or isinstance(number, int))
        elif kind == "array":
            yield from (sampled[:1] * number for number in (1, 2, 6))
        elif kind == "object":
            yield from (dict.fromkeys(sampled, number) for number in NUMBERS)
        else:
            yield from each.get("enum", [sampled])


def payloads_of(kind: type[Restricted]) -> Iterator[dict[str, Any]]:
    """Payloads with each field at each of its values, beside all other fields at their shortest and at their longest."""
    schema = schema_of(kind)
    full, least = sample(schema), sample(schema, full=False)
    values = {name: list(values_of(field, full[name])) for name, field in schema["properties"].items() if name in full}
    shortest, longest = (
        {name: choose(some, key=lambda value: len(orjson.dumps(value))) for name, some in values.items()}
        for choose in (min, max)
    )
    yield from (full, least, shortest, longest)
    for base, (name, some) in product((shortest, longest), values.items()):
        yield from (base | {name: value} for value in some)


# All its fields are texts, of which a sample has one length.
ALIKE = {ComplaintReplied, RequestLinked, SelfReferralOpened, SurveyLinked, WorkerSignposted}


@pytest.mark.parametrize("kind", RESTRICTED, ids=lambda kind: kind.type)
def test_every_payload_of_a_restricted_type_is_equally_long(kind: type[Restricted]) -> None:
    payloads = list(payloads_of(kind))
    differ = len({len(orjson.dumps(each)) for each in payloads}) > 1
    assert differ != (kind in ALIKE), "in the clear they differ"
    written = [kind.model_validate(each).model_dump_json().encode() for each in payloads]
    assert len({len(encrypt_payload(KEY, PERSON, each)) for each in written}) == 1


def test_a_wish_and_the_end_of_a_wish_are_equally_long() -> None:
    wishes = [seal(KEY, PERSON, "pair", wish.ljust(WIDTH), padded=False) for wish in Wish]
    payloads = [PairWished(one=PERSON, other=PERSON, wish=wish) for wish in (*wishes, None)]
    assert len({len(encrypt_payload(KEY, PERSON, each.model_dump_json().encode())) for each in payloads}) == 1


@pytest.mark.parametrize("name", sorted(instruments()))
def test_answers_at_rest_are_equally_long_whatever_is_answered(name: str) -> None:
    items = [each.id for each in instruments()[name].items]
    answered = (dict.fromkeys(items[:number], value) for number in range(1, len(items) + 1) for value in (0, 10))
    assert len({len(seal(KEY, PERSON, "answers", orjson.dumps(each).decode())) for each in answered}) == 1


@given(st.text(max_size=150), st.text(max_size=150))
def test_names_and_contacts_are_equally_long(one: str, other: str) -> None:
    assert len(seal(KEY, PERSON, "given_name", one)) == len(seal(KEY, PERSON, "given_name", other))


@given(st.binary(max_size=4 * STEP))
def test_a_length_is_one_of_few(content: bytes) -> None:
    size = padded_size(len(content))
    assert size % STEP == 0
    assert max(len(content), LEAST) <= size < max(len(content), LEAST) + STEP


@given(words)
@example("ends with blanks  ")
@example("ends with a zero\0\0")
@example("ends as the padding begins À\x80")
def test_a_text_comes_back_as_it_was_however_it_ends(text: str) -> None:
    assert open_sealed(KEY, PERSON, "name", seal(KEY, PERSON, "name", text)) == text
    assert open_sealed(KEY, PERSON, "name", seal(KEY, PERSON, "name", text, padded=False)) == text


def test_what_was_encrypted_before_the_padding_still_opens() -> None:
    protected = to_text(orjson.dumps({"alg": "dir", "enc": "A256GCM", "kid": PERSON}))
    raw = to_bytes(encrypt(KEY, b'{"present":true}', protected.encode()))
    token = f"{protected}..{to_text(raw[:12])}.{to_text(raw[12:-16])}.{to_text(raw[-16:])}"
    assert decrypt_payload(KEY, token) == b'{"present":true}'
    field = f"1.{encrypt(KEY, b'Anna', bound('field', PERSON, 'name'))}"
    assert open_sealed(KEY, PERSON, "name", field) == "Anna"
