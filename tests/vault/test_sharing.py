"""A person's key, wrapped for the services that may read of them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, OKPKey

from services.vault import Unopenable, new_person_key, unwrap_mine, wrap_for
from tests.vault.conftest import ANN, BOB, altered

READERS = ("grouping", "sessions", "notifications", "analytics")
PRIVATE = {service: OKPKey.generate_key("X25519", {"kid": service}) for service in READERS}
PUBLIC = {service: OKPKey.import_key(key.as_dict(private=False)) for service, key in PRIVATE.items()}
KEY = new_person_key()
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def wrapped() -> dict[str, Any]:
    token: dict[str, Any] = json.loads(wrap_for(ANN, KEY, PUBLIC))
    return token


def opens(token: Any, service: str = "sessions", person: str = ANN) -> bytes:
    return unwrap_mine(service, PRIVATE[service], person, json.dumps(token).encode())


def test_each_service_opens_its_own_entry() -> None:
    token = wrap_for(ANN, KEY, PUBLIC)
    assert {unwrap_mine(service, PRIVATE[service], ANN, token) for service in READERS} == {KEY}


@settings(max_examples=30)
@given(st.binary(min_size=32, max_size=32), st.text(min_size=1), st.sets(st.sampled_from(READERS), min_size=1))
def test_any_key_of_any_person_for_any_services_comes_back(key: bytes, person: str, readers: set[str]) -> None:
    token = wrap_for(person, key, {service: PUBLIC[service] for service in readers})
    assert {unwrap_mine(service, PRIVATE[service], person, token) for service in readers} == {key}


def test_keys_on_the_curve_p_256_serve_as_well() -> None:
    private = ECKey.generate_key("P-256")
    token = wrap_for(
        ANN, KEY, {"sessions": ECKey.import_key(private.as_dict(private=False)), **PUBLIC, "other": private}
    )
    assert unwrap_mine("other", private, ANN, token) == KEY


def test_a_service_that_was_not_named_has_no_entry() -> None:
    token = wrap_for(ANN, KEY, {"sessions": PUBLIC["sessions"]})
    with pytest.raises(Unopenable, match="0 entries for grouping"):
        unwrap_mine("grouping", PRIVATE["grouping"], ANN, token)


def test_another_services_key_does_not_open_an_entry() -> None:
    with pytest.raises(Unopenable):
        unwrap_mine("sessions", PRIVATE["grouping"], ANN, wrap_for(ANN, KEY, PUBLIC))


def test_the_key_of_one_person_cannot_be_passed_off_as_anothers() -> None:
    token = wrapped()
    with pytest.raises(Unopenable, match="another person's"):
        opens(token, person=BOB)
    token["aad"] = json.loads(wrap_for(BOB, KEY, PUBLIC))["aad"]
    with pytest.raises(Unopenable):
        opens(token, person=BOB)


def test_a_token_without_a_person_does_not_open() -> None:
    token = wrapped()
    del token["aad"]
    with pytest.raises(Unopenable):
        opens(token)


@pytest.mark.parametrize("part", ["protected", "aad", "iv", "ciphertext", "tag"])
def test_no_character_of_the_common_parts_can_be_changed_unseen(part: str) -> None:
    token = wrapped()
    for changed in altered(token[part]):
        with pytest.raises(Unopenable):
            opens(token | {part: changed})


@pytest.mark.parametrize("path", [("encrypted_key",), ("header", "epk", "x"), ("header", "alg"), ("header", "kid")])
def test_no_character_of_ones_own_entry_can_be_changed_unseen(path: tuple[str, ...]) -> None:
    text = json.dumps(wrapped())
    *way, last = path
    whole = json.loads(text)["recipients"][1]
    for name in path:
        whole = whole[name]
    for changed in altered(whole):
        token = json.loads(text)
        entry = token["recipients"][1]
        for name in way:
            entry = entry[name]
        entry[last] = changed
        with pytest.raises(Unopenable):
            opens(token)


def test_what_is_changed_in_anothers_entry_is_no_concern() -> None:
    token = wrapped()
    token["recipients"][0] = {"header": {"kid": "grouping"}, "encrypted_key": "nonsense"}
    assert opens(token) == KEY


def test_two_entries_for_one_service_are_refused() -> None:
    token = wrapped()
    token["recipients"].append(token["recipients"][1])
    with pytest.raises(Unopenable, match="2 entries"):
        opens(token)


@pytest.mark.parametrize("point", ["AA" * 21 + "A", "AQ" + "AA" * 20 + "A", ""])
def test_a_point_that_gives_nothing_away_for_a_secret_is_refused(point: str) -> None:
    token = wrapped()
    token["recipients"][1]["header"]["epk"]["x"] = point
    with pytest.raises(Unopenable):
        opens(token)


@settings(max_examples=300)
@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["recipients", "header", "kid", "protected"]), inner)
        ),
    )
)
def test_nonsense_raises_nothing_but_unopenable(token: Any) -> None:
    with pytest.raises(Unopenable):
        opens(token)


@given(
    st.sampled_from(["protected", "aad", "iv", "ciphertext", "tag", "recipients"]),
    st.none() | st.integers() | st.lists(st.none()),
)
def test_a_part_of_another_kind_raises_nothing_but_unopenable(part: str, value: Any) -> None:
    with pytest.raises(Unopenable):
        opens(wrapped() | {part: value})


@pytest.mark.parametrize(
    "epk", [None, 1, "x", {}, {"kty": "OKP"}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "oct", "k": "AAAA"}]
)
def test_an_ephemeral_key_of_another_kind_raises_nothing_but_unopenable(epk: Any) -> None:
    token = wrapped()
    token["recipients"][1]["header"]["epk"] = epk
    with pytest.raises(Unopenable):
        opens(token)


@pytest.mark.parametrize("token", [b"", b"{", b"\xff", b"null", b"[" * 100_000])
def test_what_is_no_json_is_refused(token: bytes) -> None:
    with pytest.raises(Unopenable):
        unwrap_mine("sessions", PRIVATE["sessions"], ANN, token)


def test_a_plain_client_of_the_standard_opens_ours() -> None:
    token = wrapped()
    registry = jwe.JWERegistry(algorithms=ALGORITHMS, verify_all_recipients=False)
    read = jwe.decrypt_json(token, PRIVATE["grouping"], registry=registry)  # type: ignore[arg-type]
    assert read.plaintext == KEY
    assert read.protected == {"enc": "A256GCM"}


def test_we_open_what_a_plain_client_of_the_standard_wrote() -> None:
    made = jwe.GeneralJSONEncryption({"enc": "A256GCM"}, KEY, aad=ANN.encode())
    for service in READERS:
        made.add_recipient({"alg": "ECDH-ES+A256KW", "kid": service}, PUBLIC[service])
    assert opens(jwe.encrypt_json(made, None, algorithms=ALGORITHMS)) == KEY


def test_another_way_of_encrypting_is_refused_even_with_the_right_key() -> None:
    shared = OctKey.generate_key(256, {"kid": "sessions"})
    made = jwe.GeneralJSONEncryption({"enc": "A256GCM"}, KEY, aad=ANN.encode())
    made.add_recipient({"alg": "A256KW", "kid": "sessions"}, shared)
    token = jwe.encrypt_json(made, None, algorithms=["A256KW", "A256GCM"])
    with pytest.raises(Unopenable):
        unwrap_mine("sessions", shared, ANN, json.dumps(token).encode())  # type: ignore[arg-type]


@pytest.mark.parametrize("protected", [{"enc": "A128GCM"}, {"enc": "A256CBC-HS512"}, {"enc": "A256GCM", "zip": "DEF"}])
def test_other_content_encryption_and_compression_are_refused(protected: dict[str, str]) -> None:
    made = jwe.GeneralJSONEncryption(protected, KEY, aad=ANN.encode())
    made.add_recipient({"alg": "ECDH-ES+A256KW", "kid": "sessions"}, PUBLIC["sessions"])
    with pytest.raises(Unopenable):
        opens(jwe.encrypt_json(made, None, algorithms=["ECDH-ES+A256KW", *protected.values()]))


def test_what_is_no_persons_key_is_neither_wrapped_nor_opened() -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        wrap_for(ANN, KEY[1:], PUBLIC)
    made = jwe.GeneralJSONEncryption({"enc": "A256GCM"}, KEY[1:], aad=ANN.encode())
    made.add_recipient({"alg": "ECDH-ES+A256KW", "kid": "sessions"}, PUBLIC["sessions"])
    with pytest.raises(Unopenable, match="no key of"):
        opens(jwe.encrypt_json(made, None, algorithms=ALGORITHMS))


def test_a_key_for_nobody_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="0 recipients"):
        wrap_for(ANN, KEY, {})


def test_header_parameters_stand_in_one_place_only_as_the_standard_wants() -> None:
    token = wrapped()
    assert "unprotected" not in token
    assert all("enc" not in entry["header"] for entry in token["recipients"])


def test_no_two_entries_share_an_ephemeral_key() -> None:
    points = [entry["header"]["epk"]["x"] for token in (wrapped(), wrapped()) for entry in token["recipients"]]
    assert len(set(points)) == 2 * len(READERS)
