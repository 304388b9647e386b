"""The payload of a restricted event, as the vault writes it, and as the standard says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OctKey

from services.vault import Unopenable, decrypt_payload, encrypt_payload, new_person_key, payload_person
from services.vault.sealing import encrypt, to_bytes, to_text
from tests.vault.conftest import ANN, BOB, altered

KEY = new_person_key()
LARGE = 256 * 1024


class AsLargeAsEvents(jwe.JWERegistry):
    """joserfc reads 64 KiB unless told otherwise; events may be larger."""

    max_ciphertext_length = 2 * LARGE


HEADER = {"alg": "dir", "enc": "A256GCM", "kid": ANN}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def by_hand(header: Any, key: bytes = KEY, clear: bytes = b"{}") -> str:
    """A compact JWE made from the standard alone (RFC 7516, section 5.1), with any header."""
    protected = to_text(header if isinstance(header, bytes) else json.dumps(header).encode())
    raw = to_bytes(encrypt(key, clear, protected.encode()))
    return f"{protected}..{to_text(raw[:12])}.{to_text(raw[12:-16])}.{to_text(raw[-16:])}"


# A payload is JSON, which ends with no blank.
payloads = st.binary().filter(lambda payload: not payload.endswith(b" "))


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=64), payloads)
def test_a_payload_opens_as_it_was(key: bytes, person: str, payload: bytes) -> None:
    token = encrypt_payload(key, person, payload)
    assert payload_person(token) == person
    assert decrypt_payload(key, token) == payload


@given(st.dictionaries(st.text(), json_values))
def test_a_mapping_is_written_as_json(payload: dict[str, Any]) -> None:
    assert json.loads(decrypt_payload(KEY, encrypt_payload(KEY, ANN, payload))) == payload


@pytest.mark.parametrize("size", [0, 1, 64 * 1024 - 1, 64 * 1024 + 1, LARGE])
def test_the_largest_event_can_be_read_again(size: int) -> None:
    assert decrypt_payload(KEY, encrypt_payload(KEY, ANN, bytes(size))) == bytes(size)


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=64), payloads)
def test_a_plain_client_of_the_standard_reads_ours(key: bytes, person: str, payload: bytes) -> None:
    read = jwe.decrypt_compact(encrypt_payload(key, person, payload), OctKey.import_key(key))
    assert read.plaintext is not None
    assert read.plaintext.rstrip(b" ") == payload
    assert read.protected == {**HEADER, "kid": person}


@given(st.dictionaries(st.text(), json_values))
def test_the_padding_is_json_to_a_plain_client(payload: dict[str, Any]) -> None:
    read = jwe.decrypt_compact(encrypt_payload(KEY, ANN, payload), OctKey.import_key(KEY))
    assert read.plaintext is not None
    assert json.loads(read.plaintext) == payload


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=64), payloads)
def test_we_read_what_a_plain_client_of_the_standard_wrote(key: bytes, person: str, payload: bytes) -> None:
    token = jwe.encrypt_compact({**HEADER, "kid": person}, payload, OctKey.import_key(key))
    assert payload_person(token) == person
    assert decrypt_payload(key, token) == payload


def test_the_largest_event_is_read_by_others_too() -> None:
    registry = AsLargeAsEvents(algorithms=["dir", "A256GCM"])
    read = jwe.decrypt_compact(encrypt_payload(KEY, ANN, bytes(LARGE)), OctKey.import_key(KEY), registry=registry)
    assert read.plaintext == bytes(LARGE)


def test_a_payload_that_is_built_exactly_as_the_standard_says_is_read() -> None:
    assert decrypt_payload(KEY, by_hand(HEADER, clear=b"by hand")) == b"by hand"


def test_no_character_can_be_changed_unseen() -> None:
    for changed in altered(encrypt_payload(KEY, ANN, b'{"present":true}')):
        with pytest.raises(Unopenable):
            decrypt_payload(KEY, changed)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Unopenable):
        decrypt_payload(new_person_key(), encrypt_payload(KEY, ANN, b"{}"))


def test_a_token_cannot_be_made_to_name_another_person() -> None:
    theirs, ours = encrypt_payload(KEY, BOB, b"{}").split("."), encrypt_payload(KEY, ANN, b"{}").split(".")
    with pytest.raises(Unopenable):
        decrypt_payload(KEY, ".".join([theirs[0], *ours[1:]]))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir", "enc": "A256GCM"},
        {"alg": "dir", "enc": "A256GCM", "kid": ""},
        {"alg": "dir", "enc": "A256GCM", "kid": 1},
        {"alg": "dir", "enc": "A256GCM", "kid": [ANN]},
        {"alg": "dir", "enc": "A128GCM", "kid": ANN},
        {"alg": "none", "enc": "A256GCM", "kid": ANN},
        {"alg": "A256KW", "enc": "A256GCM", "kid": ANN},
        {**HEADER, "zip": "DEF"},
        {**HEADER, "crit": ["exp"], "exp": 1},
        [ANN], ANN, None, 1, b"", b"{", b"\xff", b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_header_that_we_do_not_write_is_refused_with_or_without_the_key(header: Any) -> None:
    token = by_hand(header)
    with pytest.raises(Unopenable):
        payload_person(token)
    with pytest.raises(Unopenable):
        decrypt_payload(KEY, token)


@pytest.mark.parametrize("token", ["", ".", "....", "e30....", "eyJhIjoxfQ", "à.b.c.d.e", "\x00", "a" * 100_000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Unopenable):
        payload_person(token)
    with pytest.raises(Unopenable):
        decrypt_payload(KEY, token)


def test_a_token_with_an_encrypted_key_or_with_parts_missing_is_refused() -> None:
    head, _, nonce, boxed, tag = by_hand(HEADER).split(".")
    for parts in (
        [head, "AAAA", nonce, boxed, tag],
        [head, "", nonce, boxed],
        [head, "", nonce, boxed, tag, ""],
        [head, "", nonce, boxed, to_text(to_bytes(tag)[:12])],
        [head, "", nonce[:8], boxed, tag],
        [head, "", nonce, to_text(to_bytes(boxed) + to_bytes(tag)[:1]), to_text(to_bytes(tag)[1:])],
        [head],
    ):
        with pytest.raises(Unopenable):
            decrypt_payload(KEY, ".".join(parts))


@settings(max_examples=300)
@given(st.text() | st.lists(st.text(alphabet="AQgwab01_-"), min_size=5, max_size=5).map(".".join))
def test_nonsense_raises_nothing_but_unopenable(token: str) -> None:
    with pytest.raises(Unopenable):
        decrypt_payload(KEY, token)


def test_a_mapping_with_what_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encrypt_payload(KEY, ANN, {"score": float("nan")})


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        encrypt_payload(KEY[1:], ANN, b"{}")
