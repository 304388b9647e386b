"""Entries of a partner's ledger, by the rules alone."""

from datetime import UTC, date, datetime

import orjson
import pytest

from notifications.domain import Fact, Feed, LedgerEntry, ReferredPerson
from notifications.ledger import record
from services.contracts import decode, feed
from services.contracts.envelope import read

DAY = date(2026, 3, 12)
ALL = {kind.type for kind in (feed.Referred, feed.Admitted, feed.Declined, feed.Seated, feed.Withdrew)}
WORKER, EVENT = "019ce2f4-3a51-7a0c-9d44-52c1f7b3e690", "5d2f7f0c-7d0e-4c58-9a39-6c1f8a0e2b11"


def fact(kind: type[feed.Entry]) -> Fact:
    return Fact(type=kind.type, on=DAY)


def known(**facts: object) -> ReferredPerson:
    return ReferredPerson(id=WORKER, partner="cgil", **facts)  # type: ignore[arg-type]


def kinds(facts: list[Fact]) -> list[str]:
    return [each.type.split(".", 3)[3].removesuffix(".v1") for each in facts]


def enter(
    person: ReferredPerson, ledger: Feed, known: set[str] = ALL, consents: bool | None = True
) -> list[LedgerEntry]:
    """Enter what may be released, as the handler does."""
    entries = [ledger.append(each, person.id, "pseudonym", EVENT, DAY) for each in person.release(known, consents)]
    for each in entries:
        person.entered(each)
    return entries


def test_while_consent_is_unknown_everything_waits() -> None:
    person = known()
    person.note(fact(feed.Referred), None)
    person.admit(fact(feed.Admitted), None)
    assert person.release(ALL, None) == []
    assert kinds(person.release(ALL, True)) == ["worker.referred", "worker.admitted"]
    assert person.release(ALL, True) == []


def test_refused_consent_drops_what_waited_and_keeps_nothing_that_follows() -> None:
    person = known()
    person.note(fact(feed.Referred), None)
    assert person.refuse(DAY) == ()
    person.admit(fact(feed.Admitted), False)
    assert person.release(ALL, False) == []
    assert person.pending == ()


def test_refused_consent_drops_what_waits_also_where_nobody_closed_the_entries() -> None:
    person = known()
    person.note(fact(feed.Referred), None)
    person.note(fact(feed.Seated), None)
    assert person.release(set(), False) == []
    assert person.pending == ()


def test_consent_after_a_refusal_enters_only_what_follows() -> None:
    person = known()
    person.note(fact(feed.Referred), None)
    person.refuse(DAY)
    person.admit(fact(feed.Admitted), True)
    assert kinds(person.release(ALL, True)) == ["worker.admitted"]


def test_a_withdrawal_is_entered_for_a_person_with_earlier_entries() -> None:
    person, ledger = known(), Feed(id="cgil")
    person.note(fact(feed.Referred), True)
    enter(person, ledger)
    assert person.refuse(DAY) == (1,)
    assert kinds([each.fact for each in enter(person, ledger, set(), False)]) == ["consent.withdrawn"]


def test_a_withdrawal_is_not_entered_for_a_person_without_entries() -> None:
    person, ledger = known(), Feed(id="cgil")
    person.note(fact(feed.Referred), True)
    enter(person, ledger, known=set())
    assert person.refuse(DAY) == ()
    assert enter(person, ledger, set(), False) == []


def test_a_withdrawal_is_entered_once() -> None:
    person, ledger = known(), Feed(id="cgil")
    person.note(fact(feed.Referred), True)
    enter(person, ledger)
    person.refuse(DAY)
    enter(person, ledger, set(), False)
    person.refuse(DAY)
    person.erase(DAY)
    assert enter(person, ledger, set(), None) == []


def test_an_erasure_is_entered_for_a_person_with_earlier_entries_and_for_no_other() -> None:
    entered, waiting, ledger = known(), known(), Feed(id="cgil")
    entered.note(fact(feed.Referred), True)
    enter(entered, ledger)
    assert entered.erase(DAY) == (1,)
    assert kinds([each.fact for each in enter(entered, ledger, set(), None)]) == ["worker.erased"]
    waiting.note(fact(feed.Referred), None)
    waiting.erase(DAY)
    assert enter(waiting, ledger, set(), None) == []


def test_entries_of_before_a_restore_are_closed_unless_they_were_closed_already() -> None:
    ledger, person = Feed(id="cgil"), known()
    entries = [
        ledger.append(fact(each), WORKER, "pseudonym", EVENT, DAY) for each in (feed.Referred, feed.ConsentWithdrawn)
    ]
    person.recall(entries[0])
    assert known().entries == ()
    assert person.entries == (1,)
    person.recall(entries[1])
    assert person.refuse(DAY) == ()
    assert person.release(set(), False) == []


def test_nothing_is_released_but_what_the_partner_may_know() -> None:
    person = known()
    person.note(fact(feed.Referred), True)
    person.admit(fact(feed.Admitted), True)
    assert kinds(person.release({feed.Admitted.type}, True)) == ["worker.admitted"]


def test_a_seat_that_arrives_before_the_admission_is_released_after_it() -> None:
    person = known()
    person.note(fact(feed.Seated), True)
    assert person.release(ALL, True) == []
    person.admit(fact(feed.Admitted), True)
    assert kinds(person.release(ALL, True)) == ["worker.admitted", "worker.seated"]


def test_a_seat_that_arrives_before_the_referral_waits_for_the_partner_to_be_known() -> None:
    person = ReferredPerson(id=WORKER)
    person.note(fact(feed.Seated), True)
    person.admit(fact(feed.Admitted), True)
    assert person.release(ALL, True) == []
    person.refer("cgil", fact(feed.Referred), True)
    assert kinds(person.release(ALL, True)) == ["worker.admitted", "worker.seated", "worker.referred"]


def test_a_seat_of_somebody_who_left_is_dropped() -> None:
    person = known(admitted=True)
    person.withdraw(fact(feed.Withdrew), True)
    person.note(fact(feed.Seated), True)
    assert kinds(person.release(ALL, True)) == ["worker.withdrew"]


def test_entries_are_numbered_from_one_without_a_gap() -> None:
    ledger = Feed(id="cgil")
    entries = [ledger.append(fact(feed.Referred), WORKER, "pseudonym", EVENT, DAY) for _ in range(5)]
    assert [each.sequence for each in entries] == [1, 2, 3, 4, 5]
    assert len({each.id for each in entries}) == 5


def test_nothing_in_a_record_links_it_to_anything_else() -> None:
    entry = Feed(id="cgil").append(fact(feed.Referred), WORKER, "pseudonym", EVENT, date(2026, 3, 13))
    key, value = record(entry, "monza-brianza", consents=True)
    body = orjson.loads(value)
    assert key == b"pseudonym"
    assert WORKER.encode() not in value
    assert not {"traceparent", "correlationid", "causationid"} & body.keys()
    assert body["source"] == "/programmes/monza-brianza/feed/cgil"
    assert body["time"] == "2026-03-12T00:00:00Z"
    assert body["recordedtime"] == "2026-03-13T00:00:00Z"
    assert body["data"] == {"on": "2026-03-12"}


def test_a_record_is_an_event_that_any_reader_reads() -> None:
    leaving = Fact(type=feed.Withdrew.type, on=DAY, reason="found-work")
    _, value = record(Feed(id="cgil").append(leaving, WORKER, "pseudonym", EVENT, DAY), "monza-brianza", consents=True)
    event = read(decode(value))
    assert event.data == feed.Withdrew(on=DAY, reason="found-work")  # type: ignore[arg-type]
    assert (event.sequence, event.subject, event.time) == (1, "pseudonym", datetime(2026, 3, 12, tzinfo=UTC))


def test_an_entry_whose_person_no_longer_consents_is_delivered_as_withheld() -> None:
    entry = Feed(id="cgil").append(fact(feed.Referred), WORKER, "pseudonym", EVENT, DAY)
    key, value = record(entry, "monza-brianza", consents=False)
    event = decode(value)
    assert (key, event.subject, event.sequence, event.type) == (b"-", "-", 1, feed.Withheld.type)
    assert b"pseudonym" not in value


@pytest.mark.parametrize("kind", [feed.ConsentWithdrawn, feed.Erased])
def test_an_entry_that_closes_is_delivered_without_consent_and_names_no_worker(kind: type[feed.Entry]) -> None:
    entry = Feed(id="cgil").append(fact(kind), WORKER, "pseudonym", EVENT, DAY)
    key, value = record(entry, "monza-brianza", consents=False)
    assert (key, decode(value).type, entry.worker) == (b"pseudonym", kind.type, None)


def test_a_withheld_entry_stays_withheld_even_if_its_person_consents_again() -> None:
    entry = Feed(id="cgil").append(fact(feed.Referred), WORKER, "pseudonym", EVENT, DAY)
    entry.withhold()
    assert (entry.worker, entry.subject) == (None, "-")
    assert decode(record(entry, "monza-brianza", consents=entry.worker == WORKER)[1]).type == feed.Withheld.type
