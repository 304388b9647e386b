"""The master keys, and how they are replaced."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settings import Misconfigured
from services.vault import MasterKeys, Unopenable, new_person_key, rotate_master
from services.vault.files import new_octets, write
from tests.vault.conftest import ANN, BOB, altered

OLD, NEW = new_octets("old") | {"iat": 1}, new_octets("new") | {"iat": 2}
KEY = new_person_key()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(min_size=32, max_size=32))
def test_what_was_wrapped_unwraps(person: str, key: bytes) -> None:
    masters = MasterKeys([OLD, NEW])
    assert masters.unwrap(person, masters.wrap(person, key)) == key


def test_the_newest_wraps_and_older_ones_still_unwrap() -> None:
    before = MasterKeys([OLD]).wrap(ANN, KEY)
    masters = MasterKeys([OLD, NEW])
    assert masters.unwrap(ANN, before) == KEY
    assert masters.wrap(ANN, KEY).startswith("1.new.")


def test_the_newest_is_the_one_made_last_wherever_it_stands() -> None:
    assert MasterKeys([NEW, OLD]).newest == "new"


def test_keys_that_do_not_say_when_they_were_made_stand_newest_last() -> None:
    assert MasterKeys([{**new_octets(kid), "iat": None} for kid in ("b", "c", "a")]).newest == "a"


def test_after_rewrapping_the_old_key_can_go() -> None:
    kept = {ANN: MasterKeys([OLD]).wrap(ANN, KEY), BOB: MasterKeys([OLD, NEW]).wrap(BOB, KEY)}
    again = dict(MasterKeys([OLD, NEW]).rewrap(kept.items()))
    assert set(again) == {ANN}  # what the newest wrapped stays as it is
    alone = MasterKeys([NEW])
    assert {alone.unwrap(person, wrapped) for person, wrapped in (kept | again).items()} == {KEY}


def test_without_the_key_that_wrapped_it_the_refusal_says_which_is_missing() -> None:
    with pytest.raises(Unopenable, match="master key 'old', which is not in"):
        MasterKeys([NEW]).unwrap(ANN, MasterKeys([OLD]).wrap(ANN, KEY))


def test_a_wrapped_key_moved_to_another_person_does_not_open() -> None:
    masters = MasterKeys([OLD])
    with pytest.raises(Unopenable):
        masters.unwrap(BOB, masters.wrap(ANN, KEY))


def test_a_wrapped_key_cannot_be_said_to_be_another_master_keys() -> None:
    same = [{**OLD, "kid": "one"}, {**OLD, "kid": "two"}]
    wrapped = MasterKeys(same).wrap(ANN, KEY)
    with pytest.raises(Unopenable):
        MasterKeys(same).unwrap(ANN, wrapped.replace("two", "one"))


def test_no_character_can_be_changed_unseen() -> None:
    masters = MasterKeys([OLD, NEW])
    for changed in altered(masters.wrap(ANN, KEY)):
        with pytest.raises(Unopenable):
            masters.unwrap(ANN, changed)


@given(st.text() | st.text(alphabet="1.newAB_-"))
def test_nonsense_raises_nothing_but_unopenable(wrapped: str) -> None:
    with pytest.raises(Unopenable):
        MasterKeys([NEW]).unwrap(ANN, wrapped)


def test_a_rotation_keeps_what_was_wrapped_readable(folder: Path) -> None:
    wrapped = MasterKeys.load(folder, {}).wrap(ANN, KEY)
    kid = rotate_master(folder)
    masters = MasterKeys.load(folder, {})
    assert (masters.newest, masters.unwrap(ANN, wrapped)) == (kid, KEY)


def test_rotations_within_one_second_still_make_the_last_the_newest(folder: Path) -> None:
    kids = [rotate_master(folder) for _ in range(5)]
    assert MasterKeys.load(folder, {}).newest == kids[-1]


def test_a_rotation_after_the_clock_was_set_back_still_makes_the_newest(folder: Path) -> None:
    write(folder / "master.jwks", {"keys": [OLD | {"iat": time.time() + 1e6}]})
    assert rotate_master(folder) == MasterKeys.load(folder, {}).newest


@pytest.mark.parametrize("keys", [[], [OLD, OLD], [{"kty": "oct", "kid": "x"}]])
def test_unusable_keys_are_told_and_not_rotated(folder: Path, keys: list[dict[str, object]]) -> None:
    write(folder / "master.jwks", {"keys": keys})
    with pytest.raises(Misconfigured):
        rotate_master(folder)
    assert json.loads((folder / "master.jwks").read_text()) == {"keys": keys}


def test_who_started_before_a_rotation_reads_what_is_wrapped_after_it(folder: Path) -> None:
    early = MasterKeys.load(folder, {})
    rotate_master(folder)
    assert early.unwrap(ANN, MasterKeys.load(folder, {}).wrap(ANN, KEY)) == KEY


def test_the_environment_comes_before_the_folder(folder: Path) -> None:
    for given_ in (json.dumps(OLD), json.dumps({"keys": [OLD]})):
        assert MasterKeys.load(folder, {"AMA_MASTER_KEYS": given_}).newest == "old"


@pytest.mark.parametrize(
    "keys",
    [
        [], [OLD, OLD], [{**OLD, "kid": "a.b"}], [{**OLD, "kid": None}], [{**OLD, "kid": ""}], [{**OLD, "k": "AAAA"}],
        [{**OLD, "k": OLD["k"] + "="}], [{**OLD, "k": 1}], [{"kty": "oct", "kid": "x"}], [{**OLD, "kty": "OKP"}],
    ],
)  # fmt: skip
def test_unusable_master_keys_stop_the_start_without_being_quoted(keys: list[dict[str, object]]) -> None:
    with pytest.raises(Misconfigured) as refused:
        MasterKeys.load(Path("/nowhere"), {"AMA_MASTER_KEYS": json.dumps({"keys": keys})})
    assert str(refused.value).startswith("AMA_MASTER_KEYS")
    assert str(OLD["k"]) not in str(refused.value)


@pytest.mark.parametrize("text", ["{", "[]", "1", '"x"', '{"keys": 1}', '{"keys": [1]}', "{}", "[" * 100_000])
def test_what_is_no_jwk_in_the_environment_is_one_sentence(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"^AMA_MASTER_KEYS [^\n]*\.$"):
        MasterKeys.load(Path("/nowhere"), {"AMA_MASTER_KEYS": text})


def test_nothing_secret_is_shown() -> None:
    assert repr(MasterKeys([OLD, NEW])) == "<MasterKeys old, new>"


def test_only_a_persons_key_is_wrapped() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        MasterKeys([OLD]).wrap(ANN, bytes(16))
