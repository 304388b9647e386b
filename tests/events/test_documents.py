"""Documents of the inbox: each type is read back from its document unchanged, and ids follow one rule."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from bson import decode, encode

from services.events.delivery.state import Dead, Mark, Parked, ParkedStatus, Record
from services.events.inbox import documents

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = Record("ama.enrolment", 3, 17, b"somebody", b"{}")


@pytest.mark.parametrize("mark", [Mark(4, "an-id"), Mark(4, "an-id", "RuntimeError at x.py:1")])
def test_a_mark_is_read_back_as_it_was_stored(mark: Mark) -> None:
    stored = documents.mark_document("reactions", "/programmes/p/enrolment|s", mark)
    assert documents.mark_of(decode(encode(stored))) == mark
    assert "_id" not in stored, "MongoDB would skip the write of a mark that stays the same, and nothing would conflict"


@pytest.mark.parametrize("status", list(ParkedStatus))
def test_a_parked_event_is_read_back_with_its_status_and_its_reason(status: ParkedStatus) -> None:
    parked = Parked(RECORD, status, "a sentence", NOW, NOW + timedelta(seconds=5), 7)
    stored = documents.parked_document("reactions", "key", 2, parked)
    assert (stored["status"], stored["reason"]) == (status.value, "a sentence")
    read = decode(encode(stored))
    read |= {name: read[name].replace(tzinfo=UTC) for name in ("since", "retry")}
    assert documents.parked_of(read) == parked


def test_a_status_that_is_no_status_is_refused() -> None:
    stored = documents.parked_document("reactions", "key", 2, Parked(RECORD, ParkedStatus.GAP, "", NOW, NOW))
    with pytest.raises(ValueError, match="not yet: its turn"):
        documents.parked_of({**stored, "status": "not yet: its turn"})


def test_a_dismissal_holds_for_every_generation_of_its_consumer() -> None:
    dead = Dead(RECORD, "not JSON", intruder=True)
    opened = documents.dead_change("projections.g2", dead, NOW)["$set"]
    dead_letter = cast("documents.DeadLetter", {"_id": documents.dead_id("projections.g2", dead.name), **opened})
    dismissal = documents.dismissal_of(dead_letter, "anna", "a test", NOW)
    assert (dismissal["consumer"], dismissal["keeps"]) == ("projections", False)
    assert dismissal["_id"] == documents.dead_id(documents.without_generation("projections.g3"), dead.name)
