"""A class for each collection: its documents come back as they went in."""

from datetime import UTC, datetime

import pytest

from services.contracts.enrolment import Purpose
from services.store.aggregates import AggregateDocument
from services.store.answers import Answer
from services.store.collections import COLLECTIONS, OWN
from services.store.consents import Consents, Decision
from services.store.documents import StoredDocument
from services.store.outbox import OutboxRow
from services.store.people import Access, ContactCard, ErasedPerson, StoredKey
from services.store.programmes import PublishedProgramme
from services.store.restored import RecalledSubject, RestoreState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EXAMPLES = [
    Access("a", "p", "ann", "anna", "operator", "card", NOW),
    AggregateDocument("p/a", "p", 1, {"ama.enrolment": 2}, {"id": "a"}),
    Answer("p/a", "p", "hash", None, NOW, ["ann"]),
    ContactCard("p/ann", "p", 3, None),
    ErasedPerson("p/ann", "p", NOW),
    OutboxRow("a", "p", "ama.enrolment", "ann", b"{}", [["content-type", b"x"]], 1),
    OutboxRow("b", "p", "ama.enrolment.keys", "ann", None, [], 2),
    OutboxRow("c", "p", "ama.enrolment.dead", "ann", b"{}", []),
    PublishedProgramme("p", 1, NOW, {"title": "Prova"}),
    RecalledSubject("p/t/a", "p", "t", "a", 7, [{"id": "1"}], []),
    RestoreState("state", whole=False),
    StoredKey("p/ann", "p", wrapped="1.k.x"),
    StoredKey("p/ann", "p", sequence=1, value=b"jwe"),
    Consents("p/ann", "p", (Decision(Purpose.CONTACT, True, NOW, 3).document(),)),
    ErasedPerson("p/ann", "p", NOW, done=NOW),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: type(each).__name__)
def test_a_document_comes_back_as_it_went_in(example: StoredDocument) -> None:
    assert type(example).of(example.document()) == example


def test_every_collection_of_the_package_has_an_example() -> None:
    assert {type(each) for each in EXAMPLES} == {*OWN, AggregateDocument}


def test_no_two_classes_own_one_collection() -> None:
    assert len(COLLECTIONS) == len(set(COLLECTIONS))


def test_fields_that_a_class_does_not_name_are_ignored() -> None:
    assert AggregateDocument.of({**EXAMPLES[1].document(), "guard": 4}) == EXAMPLES[1]


def test_a_dead_letter_has_no_sequence_and_a_tombstone_has_a_value() -> None:
    assert "sequence" not in EXAMPLES[7].document()
    assert EXAMPLES[6].document()["value"] is None
