"""Within a version a type may gain an optional field; every other change is caught before it is released."""

import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OctKey

from services.contracts import EventData, Restricted, sampling
from services.contracts.audit import problems
from services.contracts.envelope import decode, read
from services.contracts.evolution import breaks
from services.contracts.frozen import Frozen, Incompatible, published
from services.contracts.sampling import sample
from services.contracts.schema import schema_of
from tests.contracts.conftest import Declare
from tests.contracts.strategies import payloads, values

KINDS = list(published().values())
UNFROZEN = "not frozen yet: run `ama contracts freeze`"
FIELDS = """
    kind: Literal["open", "closed"]
    seats: int
    share: float
    place: Slug
    slots: tuple[Slug, ...]
    scores: dict[str, float]
    employer: Id | None = None
"""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_the_frozen_example_is_read_by_the_class_and_nothing_of_it_is_lost(kind: type[EventData]) -> None:
    opened = Frozen().opened(kind)
    assert opened is not None
    again = read(decode(json.dumps(opened).encode())).data
    assert again.model_dump(mode="json", exclude_unset=True) == opened["data"]  # what it has learnt since has a default


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, Restricted)], ids=lambda kind: kind.type)
def test_a_sealed_example_opens_to_the_opened_one(kind: type[EventData]) -> None:
    sealed, opened = Frozen().example(kind.type), Frozen().opened(kind)
    assert sealed is not None
    assert opened is not None
    person = opened["subject"] if kind.person == "subject" else opened["data"][kind.person]
    for record in (sealed, sampling.sealed(kind, opened)):
        token = jwe.decrypt_compact(record["data"], OctKey.import_key(sampling.KEY))
        assert json.loads(token.plaintext or b"") == opened["data"]
        assert token.headers() == {"alg": "dir", "enc": "A256GCM", "kid": person}
    assert {**sealed, "data": 0, "datacontenttype": 0} == {**opened, "data": 0, "datacontenttype": 0}


@given(data=st.data())
def test_whatever_the_class_writes_is_valid_against_the_frozen_schema(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    frozen = Frozen().schema(kind.type)
    assert frozen is not None
    written = data.draw(payloads(kind)).model_dump(mode="json")
    jsonschema_rs.validator_for(frozen, validate_formats=True).validate(written)


@given(data=st.data())
def test_whatever_the_frozen_schema_allows_is_read_by_the_class(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    frozen = Frozen().schema(kind.type)
    assert frozen is not None
    kind.model_validate(data.draw(values(frozen)))


def test_the_published_contracts_are_kept() -> None:
    assert problems(KINDS) == []


BROKEN = {
    "a required field is added": ("seats: int", "seats: int\nrows: int", "data.rows: added as required"),
    "a required field is removed": ("seats: int", "", "data.seats: removed"),
    "an optional field is removed": ("employer: Id | None = None", "", "data.employer: removed"),
    "a field is renamed": ("seats: int", "chairs: int", "data.seats: removed"),
    "a type is narrowed": ("share: float", "share: int", 'data.share: type was "number", is "integer"'),
    "a type is widened": ("seats: int", "seats: float", 'data.seats: type was "integer", is "number"'),
    "a field may become null": ("seats: int", "seats: int | None", "data.seats: alternatives were []"),
    "an optional field may not be null": ("Id | None = None", 'Id = "x"', "data.employer: alternatives were"),
    "a value is removed": ('"open", "closed"', '"open"', "data.kind: values were"),
    "one of the values is removed": ('"open", "closed"', '"open", "shut"', 'values removed: "closed"'),
    "a value is added": ('"open", "closed"', '"open", "closed", "full"', 'values added: "full"'),
    "a required field becomes optional": ("seats: int", "seats: int = 12", "data.seats: was required, is optional"),
    "an optional field becomes required": ("Id | None = None", "Id | None", "data.employer: was optional, is required"),
    "a bound is set": ("seats: int", "seats: int = Field(ge=1)", "data.seats: minimum was absent, is 1"),
    "a length is shortened": ("place: Slug", "place: Annotated[Slug, Field(max_length=9)]", "maxLength was 40, is 9"),
    "a pattern is loosened": ("place: Slug", "place: Id", "data.place: pattern was"),
    "a default changes": ("Id | None = None", 'Id | None = "acme"', "data.employer: default was null"),
    "the items of a list are narrowed": ("tuple[Slug, ...]", "tuple[int, ...]", "data.slots.*: type was"),
    "the values of a table are narrowed": ("dict[str, float]", "dict[str, int]", "data.scores.*: type was"),
    "a list becomes one value": ("slots: tuple[Slug, ...]", "slots: Slug", 'data.slots: type was "array"'),
}


@pytest.mark.parametrize(("old", "new", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_drift_is_caught_and_cannot_be_frozen(
    declare: Declare, promised: Frozen, old: str, new: str, said: str
) -> None:
    promised.freeze([declare(FIELDS)])
    before = {path: path.read_bytes() for path in promised.folder.rglob("*.json")}
    assert old in FIELDS
    changed = declare(FIELDS.replace(old, new))

    found = [problem for problem in problems([changed], promised) if "make it a new version" in problem]
    assert any(said in problem and problem.startswith(f"{changed.type}: data") for problem in found), found
    with pytest.raises(Incompatible, match="founded"):
        promised.freeze([changed])
    assert {path: path.read_bytes() for path in promised.folder.rglob("*.json")} == before


def test_drift_inside_a_payload_inside_a_payload_is_caught_with_its_path(declare: Declare, promised: Frozen) -> None:
    seat = "class Seat(BaseModel):\n    row: int\n    number: int\n"
    promised.freeze([declare("seats: tuple[Seat, ...]\nbest: Seat", before=seat)])
    changed = declare("seats: tuple[Seat, ...]\nbest: Seat", before=seat.replace("    number: int\n", ""))
    found = "\n".join(problems([changed], promised))
    assert "data.best.number: removed" in found
    assert "data.seats.*.number: removed" in found


def test_a_default_is_a_value_and_no_schema() -> None:
    assert list(breaks({"default": {"title": "a"}}, {"default": {"title": "b"}}))


def test_an_event_that_moves_to_another_topic_loses_its_order_and_is_caught(declare: Declare, promised: Frozen) -> None:
    promised.freeze([declare("seats: int")])
    assert any("topic was" in problem for problem in problems([declare("seats: int", topic="ama.sessions")], promised))


def test_an_event_that_becomes_about_another_person_is_caught(declare: Declare, promised: Frozen) -> None:
    promised.freeze([declare("worker: Id", more='person = "worker"')])
    assert any("person was" in problem for problem in problems([declare("worker: Id")], promised))


def test_a_type_that_is_gone_is_caught(declare: Declare, promised: Frozen) -> None:
    promised.freeze([kind := declare("seats: int")])
    assert problems([], promised) == [
        f"{kind.type}: frozen, but no class has this type; a type that was published stays"
    ]


def test_a_type_that_was_never_frozen_is_caught(declare: Declare, promised: Frozen) -> None:
    assert problems([kind := declare("seats: int")], promised) == [
        f"{kind.type}: has no frozen schema: run `ama contracts freeze`"
    ]


def test_a_type_without_its_example_is_caught(declare: Declare, promised: Frozen) -> None:
    promised.freeze([kind := declare("seats: int")])
    (promised.folder / "examples" / f"{kind.type}.json").unlink()
    assert problems([kind], promised) == [f"{kind.type}: has no example: run `ama contracts freeze`"]


def test_an_example_that_the_class_does_not_read_is_caught_by_its_field(declare: Declare, promised: Frozen) -> None:
    promised.freeze([kind := declare("seats: int")])
    path = promised.folder / "examples" / f"{kind.type}.json"
    path.write_text(path.read_text().replace('"seats": 1', '"seats": "many"'))
    assert any("old example not read: data.seats" in problem for problem in problems([kind], promised))


def test_an_optional_field_is_learnt_and_both_sides_still_read_each_other(declare: Declare, promised: Frozen) -> None:
    promised.freeze([old := declare(FIELDS)])
    first = promised.opened(old)
    new = declare(FIELDS + "\nnearby: Slug | None = None")
    assert problems([new], promised) == [f"{new.type}: data.nearby is new, and {UNFROZEN}"]

    assert first is not None
    assert new.model_validate(first["data"]).model_dump(mode="json", exclude={"nearby"}) == first["data"]
    written = new.model_validate(sample(schema_of(new))).model_dump(mode="json")
    assert old.model_validate(written).model_dump(mode="json") == {k: v for k, v in written.items() if k != "nearby"}

    promised.freeze([new])
    assert problems([new], promised) == []
    assert promised.opened(new) == first, "the first example ever shown is never rewritten"
    assert any("data.nearby: removed" in problem for problem in problems([declare(FIELDS)], promised))


def test_more_readers_are_a_change_that_must_be_frozen_on_purpose(declare: Declare, promised: Frozen) -> None:
    shape = {
        "parent": "Restricted",
        "topic": "ama.sessions.restricted",
        "type": '"it.amalavoro.sessions.seat.taken.v1"',
    }
    promised.freeze([declare("seat: Id", more='person = "subject"\nreaders = ("sessions",)', **shape)])
    wider = declare("seat: Id", more='person = "subject"\nreaders = ("sessions", "analytics")', **shape)
    assert problems([wider], promised) == [
        f'{wider.type}: readers were ["sessions"], are ["sessions", "analytics"], and {UNFROZEN}'
    ]


def test_another_wording_is_no_drift(declare: Declare, promised: Frozen) -> None:
    promised.freeze([declare("seats: int")])
    assert problems([declare('seats: int = Field(description="how many")')], promised) == []


def test_one_incompatible_type_keeps_every_other_from_being_frozen(declare: Declare, promised: Frozen) -> None:
    promised.freeze([declare("seats: int")])
    fresh = declare("seats: int", type='"it.amalavoro.grouping.room.found.v1"')
    with pytest.raises(Incompatible):
        promised.freeze([fresh, declare("seats: float")])
    assert promised.schema(fresh.type) is None
