"""A type is named by a literal, lives on a topic of its context, and says who may read it."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import AwareDatetime, ValidationError

import services.contracts
from services.contracts import EventData, Restricted
from services.contracts.audit import is_literal, problems
from services.contracts.base import ill_written
from services.contracts.enrolment import ConsentChanged
from services.contracts.frozen import Frozen, published
from services.contracts.programmes import ProgrammePublished
from services.contracts.sampling import sample
from services.contracts.schema import schema_of
from tests.contracts.conftest import Declare

PERSONAL = 'person = "subject"\nreaders = ("sessions",)'
RESTRICTED = {
    "parent": "Restricted",
    "topic": "ama.sessions.restricted",
    "type": '"it.amalavoro.sessions.seat.taken.v1"',
}


def test_every_type_in_the_sources_is_a_literal_in_its_class_body() -> None:
    written: list[ast.expr] = []
    for module in pkgutil.iter_modules(services.contracts.__path__, "services.contracts."):
        tree = ast.parse(inspect.getsource(importlib.import_module(module.name)))
        bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        assigned = [line for body in bodies for line in body if isinstance(line, ast.Assign)]
        written += [line.value for line in assigned if [ast.unparse(target) for target in line.targets] == ["type"]]
    assert all(isinstance(value, ast.Constant) for value in written)
    assert sorted(ast.literal_eval(value) for value in written) == sorted(published())


def test_renaming_a_class_and_its_enums_changes_no_contract(declare: Declare) -> None:
    colours = "from enum import StrEnum\nclass {}(StrEnum):\n    RED = 'red'\n    BLUE = 'blue'\n"
    before = declare("colour: Colour", before=colours.format("Colour"))
    after = declare("colour: Tint", before=colours.format("Tint"), name="GroupSetUp")
    assert schema_of(before) == schema_of(after)


@pytest.mark.parametrize(
    "computed",
    ['"it.amalavoro.grouping." + "group.founded.v1"', 'f"it.amalavoro.grouping.group.founded.v{1}"', '"".join(["x"])'],
)
def test_a_computed_type_is_caught(declare: Declare, promised: Frozen, computed: str) -> None:
    kind = declare("seats: int", type=computed)
    assert not is_literal(kind)
    assert any("not a literal" in problem for problem in problems([kind], promised))


def test_a_class_made_at_run_time_is_caught(promised: Frozen) -> None:
    made = type("Made", (EventData,), {"__module__": __name__, "__doc__": "Made."})
    made.type, made.topic = "it.amalavoro.grouping.group.made.v1", "ama.grouping"  # type: ignore[attr-defined]
    assert any("not a literal" in problem for problem in problems([made], promised))


@pytest.mark.parametrize(
    "name",
    [
        "it.amalavoro.grouping.founded.v1",
        "it.amalavoro.grouping.group.founded",
        "it.amalavoro.grouping.group.founded.v0",
        "it.amalavoro.grouping.group.Founded.v1",
        "it.amalavoro.grouping.group.founded-.v1",
        "org.amalavoro.grouping.group.founded.v1",
        "it.amalavoro.grouping.group.founded.v1\\n",
    ],
)
def test_a_name_of_another_form_is_caught(declare: Declare, promised: Frozen, name: str) -> None:
    assert any(
        "type is not it.amalavoro" in line for line in problems([declare("seats: int", type=f'"{name}"')], promised)
    )


@pytest.mark.parametrize(
    ("said", "shape"),
    [
        ("topic ama.nowhere does not exist", {"topic": "ama.nowhere"}),
        ("topic ama.sessions is not one of the context grouping", {"topic": "ama.sessions"}),
        (
            "is open, but its topic ama.sessions.restricted is not",
            RESTRICTED | {"parent": "EventData", "more": PERSONAL},
        ),
        ("is restricted, but its topic ama.sessions is not", RESTRICTED | {"topic": "ama.sessions", "more": PERSONAL}),
        ("readers ['any'] may not read the topic", RESTRICTED | {"more": 'person = "subject"'}),
        ("readers ['grouping'] may not", RESTRICTED | {"more": 'person = "subject"\nreaders = ("grouping",)'}),
        ("names no reader", RESTRICTED | {"more": 'person = "subject"\nreaders = ()'}),
        ("does not say under whose key", RESTRICTED | {"more": 'readers = ("sessions",)'}),
        ("only restricted types and those of the feed have readers", {"more": 'readers = ("sessions",)'}),
        ("those of the feed have readers", {"topic": "ama.feed", "type": '"it.amalavoro.feed.group.founded.v1"'}),
        ("`person` names 'worker', which is not a required field", {"more": 'person = "worker"'}),
    ],
)
def test_a_wrong_topic_reader_or_person_is_caught(
    declare: Declare, promised: Frozen, said: str, shape: dict[str, str]
) -> None:
    found = problems([declare("seats: int", **shape)], promised)
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    "field", ["remark: str", "remarks: tuple[str, ...]", "remark: str | None = None", "by_day: dict[str, str]"]
)
def test_an_open_type_has_no_room_for_free_text(declare: Declare, promised: Frozen, field: str) -> None:
    assert any("is bare text in an open type" in line for line in problems([declare(field)], promised))


def test_a_payload_that_contains_itself_is_refused(declare: Declare) -> None:
    kind = declare("root: Node", before="class Node(BaseModel):\n    inner: 'Node | None' = None\n")
    with pytest.raises(ValueError, match="contains itself"):
        schema_of(kind)


def test_a_field_that_no_example_fits_says_what_to_do(declare: Declare) -> None:
    with pytest.raises(ValueError, match=r"no example fits plate: give the field examples"):
        sample(schema_of(declare('plate: Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{3}$")]')))
    fits = declare('plate: Annotated[str, Field(pattern="^[A-Z]{2}[0-9]{3}$", examples=["MB123"])]')
    assert sample(schema_of(fits)) == {"plate": "MB123"}


def test_a_number_that_json_cannot_hold_is_refused_before_it_is_said(declare: Declare) -> None:
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValidationError, match="finite"):
            declare("share: float").model_validate({"share": number})


# Text of open types that is neither an id nor a code: of places that are open to all, and of the catalogue of services.
PUBLIC_TEXT = {
    "it.amalavoro.grouping.place.registered.v1": {"title", "address"},
    "it.amalavoro.enrolment.service.registered.v1": {
        "name", "organization_name", "description", "eligibility_description", "application_process", "email", "phone", "url",
    },
}  # fmt: skip


def texts(annotation: Any, metadata: Iterable[Any] = ()) -> Iterator[str]:
    """Each kind of text that values of an annotation hold: "any" where nothing limits it, else its pattern."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from texts(inner, [*metadata, *more])
    elif get_args(annotation):
        for each in get_args(annotation):
            yield from texts(each, metadata)
    elif annotation is str:
        yield next((str(pattern) for each in metadata if (pattern := getattr(each, "pattern", None))), "any")
    else:
        known = (StrEnum, bool, int, float, date, type(None), type(...))
        assert annotation in {..., None, AwareDatetime} or issubclass(annotation, known), (
            f"{annotation} is a new kind of value"
        )


# A programme is data that a province publishes, and no person is in it; `audit.py` names each of its texts.
OPEN = [each.type for each in published().values() if not issubclass(each, Restricted | ProgrammePublished)]


@pytest.mark.parametrize("name", OPEN)
def test_an_open_event_has_room_for_ids_codes_enums_dates_and_numbers_alone(name: str) -> None:
    fields = published()[name].model_fields
    loose = {each for each, field in fields.items() if "any" in set(texts(field.annotation, field.metadata))}
    assert loose == PUBLIC_TEXT.get(name, set())


def test_a_text_that_is_no_code_is_found_when_it_is_written_and_read_all_the_same() -> None:
    written = {"purpose": "research", "given": True, "notice": "as Ada Prova said", "language": "it"}
    assert ill_written(ConsentChanged.model_validate(written)) == ["notice"]
    assert ill_written(ConsentChanged.model_validate({**written, "notice": "2026-09"})) == []
