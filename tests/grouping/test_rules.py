"""Each transition of an aggregate of grouping: what it changes, what it records, what it refuses; and the same state on replay."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from grouping.domain import Facilitator, Group, Membership, Pair, Place, Seeker, State, right_size
from grouping.membership.commands import Entrust, Leave, entrust, leave
from grouping.reactions import when_a_worker_is_admitted_they_wait
from grouping.replay import replays
from services.contracts import catalogue
from services.contracts.enrolment import WorkerAdmitted
from services.contracts.grouping import (
    Ending,
    FacilitatorAssigned,
    FacilitatorRegistered,
    GroupConcluded,
    GroupFormed,
    Kind,
    MemberJoined,
    MemberLeft,
    PairWished,
    PlaceRegistered,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.contracts.leading import leader_on
from services.kernel import Aggregate, Refused
from tests.grouping.memory import AT, Memory, event, recorded

FIRST = date(2026, 9, 7)
LATER = date(2026, 11, 2)
FORMED = GroupFormed(kind=Kind.HETEROGENEOUS, slot="mon-evening", place="casa", facilitator="f1", first=FIRST)
HALL = PlaceRegistered(title="Casa", address="Via Roma 1", municipality="monza", rooms=1, access=False)


def said(aggregate: Aggregate) -> list[Any]:
    return [each.data for each in recorded(aggregate)]


def waiting(worker: str = "w1") -> Seeker:
    seeker = Seeker(id=worker)
    seeker.admit(FIRST, "trace")
    seeker.describe("sealed", LATER)
    return seeker


def group(*workers: str) -> Group:
    return Group.form("g1", FORMED, workers, AT)


def test_a_seeker_waits_once_admitted_and_described_in_either_order_and_says_so_once() -> None:
    one, other = waiting(), Seeker(id="w1")
    other.describe("sealed", LATER)
    assert (other.waits, said(other)) == (False, [])
    other.admit(FIRST, "trace")
    other.describe("anew", LATER)
    assert said(one) == said(other) == [WorkerWaitlisted(not_before=LATER)]
    assert one.waits
    assert other.model_dump() == one.model_dump() | {"profile": "anew"}


def test_a_seeker_who_leaves_waits_no_more_and_never_again() -> None:
    seeker = waiting()
    seeker.leave()
    assert (seeker.waits, seeker.gone, seeker.profile) == (False, True, None)
    seeker.leave()
    seeker.describe("sealed", None)
    assert not seeker.waits
    assert said(seeker) == [WorkerWaitlisted(not_before=LATER), WorkerUnlisted()]


def test_a_seeker_who_leaves_before_they_wait_is_gone_and_nothing_is_said() -> None:
    seeker = Seeker(id="w1")
    seeker.describe("sealed", None)
    seeker.leave()
    assert (seeker.waits, seeker.gone, seeker.profile, said(seeker)) == (False, True, None, [])


def test_a_pair_is_the_same_whoever_is_named_first_and_publishes_another_seal_than_it_keeps() -> None:
    pair = Pair.of("w2", "w1")
    assert pair == Pair.of("w1", "w2")
    pair.ask("kept", "published")
    assert pair.wish == "kept"
    pair.ask(None, None)
    assert pair.wish is None
    assert said(pair) == [PairWished(one="w1", other="w2", wish=wish) for wish in ("published", None)]


def test_a_place_is_corrected_by_what_it_says() -> None:
    place = Place.new("casa", HALL)
    place.register(HALL)
    renewed = HALL.model_copy(update={"rooms": 3, "title": "Casa nuova"})
    place.register(renewed)
    assert place.model_dump() == {"id": "casa", **renewed.model_dump()}
    assert said(place) == [HALL, renewed]


def test_a_facilitator_says_how_many_groups_they_lead_and_nothing_else() -> None:
    leader = Facilitator(id="f1", municipality="monza", travel_km=30, slots=frozenset({"mon-evening"}), groups=1)
    leader.register("seregno", 10, frozenset({"tue-evening"}), 2)
    described = {"id": "f1", "municipality": "seregno", "travel_km": 10, "slots": {"tue-evening"}, "groups": 2}
    assert leader.model_dump() == described
    assert said(leader) == [FacilitatorRegistered(groups=2)]


def test_a_group_is_formed_with_a_seat_for_everybody_from_its_first_meeting_on() -> None:
    formed = group("w1", "w2")
    assert formed.model_dump(include={*FORMED.model_dump()}) == FORMED.model_dump()
    assert formed.formed == AT
    assert formed.state is State.FORMED
    assert formed.members == [Membership(worker="w1", since=FIRST), Membership(worker="w2", since=FIRST)]
    joined = [MemberJoined(worker=each, since=FIRST, members=at) for at, each in enumerate(("w1", "w2"), 1)]
    assert said(formed) == [FORMED, FacilitatorAssigned(facilitator="f1", since=FIRST), *joined]


def test_a_seat_ends_on_its_day_once_and_may_be_given_again() -> None:
    formed = group("w1", "w2")
    formed.release("w1", LATER)
    formed.release("w1", LATER)
    formed.release("nobody", LATER)
    assert formed.sitting() == ["w2"]
    assert formed.members[0].until == LATER
    formed.join("w1", LATER)
    assert formed.seats("w1")
    assert said(formed)[4:] == [
        MemberLeft(worker="w1", since=LATER, members=1),
        MemberJoined(worker="w1", since=LATER, members=2),
    ]


def test_a_seat_that_is_given_up_before_it_begins_ends_on_its_first_day() -> None:
    formed = group("w1")
    formed.release("w1", date(2026, 8, 1))
    assert formed.members == [Membership(worker="w1", since=FIRST, until=FIRST)]
    assert said(formed)[-1] == MemberLeft(worker="w1", since=FIRST, members=0)


def test_a_group_that_ends_early_gives_its_members_back_and_one_that_met_to_the_end_keeps_them() -> None:
    early, whole, last = group("w1", "w2"), group("w1", "w2"), date(2027, 5, 3)
    early.conclude(last, LATER, Ending.TOO_FEW, AT)
    gone = [MemberLeft(worker=each, since=date(2026, 11, 3), members=left) for each, left in (("w1", 1), ("w2", 0))]
    assert said(early)[4:] == [*gone, GroupConcluded(on=LATER, reason=Ending.TOO_FEW)]
    assert (early.sitting(), early.state, early.concluded) == ([], State.CONCLUDED, LATER)
    whole.conclude(last, date(2027, 6, 1), Ending.COMPLETED, AT)
    assert said(whole)[4:] == [GroupConcluded(on=last)]
    assert whole.sitting() == ["w1", "w2"]


@pytest.mark.parametrize(
    ("reason", "at", "code"),
    [
        (Ending.COMPLETED, AT, "out-of-order"),  # before its last meeting
        (Ending.TOO_FEW, AT.replace(year=2026), "out-of-order"),  # before it was formed
    ],
)
def test_a_group_does_not_end_before_what_its_end_needs(reason: Ending, at: datetime, code: str) -> None:
    formed = group("w1")
    with pytest.raises(Refused) as refused:
        formed.conclude(date(2027, 5, 3), LATER, reason, at)
    assert (refused.value.code, formed.state) == (code, State.FORMED)


def test_a_group_is_concluded_once() -> None:
    formed = group("w1")
    formed.conclude(LATER, LATER, Ending.COMPLETED, AT)
    with pytest.raises(Refused, match="does not meet after 2026-11-02"):
        formed.conclude(LATER, LATER, Ending.OTHER, AT)


def test_of_an_erased_person_not_even_the_pseudonym_stays() -> None:
    formed = group("w1", "w2")
    formed.detach("w1")
    assert [each.worker for each in formed.members] == ["w2"]


@pytest.mark.parametrize("members", [9, 16])
def test_a_group_of_the_wrong_size_is_refused(members: int) -> None:
    with pytest.raises(Refused) as refused:
        right_size(members, 10, 15)
    assert refused.value.code == "wrong-size"
    right_size(10, 10, 15)
    right_size(15, 10, 15)


async def replayed(*aggregates: Aggregate, onto: tuple[Aggregate, ...] = ()) -> Memory:
    """The state after the events of these, for a database that holds only `onto`."""
    memory = Memory(*onto)
    for each in [said for aggregate in aggregates for said in recorded(aggregate)]:
        for handler in replays.handlers.get(each.type, []):
            await handler(each, memory.work)
    return memory


async def test_a_group_and_a_place_are_on_replay_as_they_were_live() -> None:
    live, hall = group("w1", "w2"), Place.new("casa", HALL)
    live.release("w1", LATER)
    live.join("w3", LATER)
    live.release("w3", date(2026, 12, 1))
    live.join("w1", date(2026, 12, 8))
    live.conclude(date(2027, 5, 3), date(2027, 1, 11), Ending.TOO_FEW, AT)
    hall.register(HALL)
    hall.register(HALL.model_copy(update={"rooms": 3}))
    memory = await replayed(hall, live)
    assert memory.held[Group, "g1"].model_dump() == live.model_dump()
    assert memory.held[Place, "casa"].model_dump() == hall.model_dump()
    assert all(recorded(each) == [] for each in memory.held.values()), "a replay records nothing"


async def test_a_replay_corrects_a_facilitator_who_is_stored_and_makes_none_of_the_event_alone() -> None:
    old = Facilitator(id="f1", municipality="monza", travel_km=30, slots=frozenset({"mon-evening"}), groups=1)
    live = old.model_copy()
    live.register(live.municipality, live.travel_km, live.slots, 2)
    assert (await replayed(live, onto=(old,))).held[Facilitator, "f1"].model_dump() == live.model_dump()
    assert (await replayed(live)).held == {}


def test_a_seekers_own_events_give_the_state_that_they_tell() -> None:
    live, again = waiting(), Seeker(id="w1", admitted=FIRST, profile="sealed", trace="trace")
    for each in recorded(live):
        again.apply(each.data)
    assert again.model_dump() == live.model_dump()
    live.leave()
    again.apply(recorded(live)[-1].data)
    assert again.model_dump() == live.model_dump()


NOT_REPLAYED = {
    WorkerWaitlisted: "enrolment's events come again, and the seeker waits by them",
    WorkerUnlisted: "enrolment's events come again, and the seeker leaves by them",
    PairWished: "a reaction, which waits for the keys of both",
}


def test_every_own_event_is_replayed_or_exempt_by_name() -> None:
    own = {kind for name, kind in catalogue().items() if name.startswith("it.amalavoro.grouping.")}
    replayed_types = {kind for kind in own if kind.type in replays.handlers}
    assert replayed_types | NOT_REPLAYED.keys() == own
    assert not replayed_types & NOT_REPLAYED.keys()


# 00:30 in Rome, the night after the meeting of 16 November: in UTC it is the evening before.
AFTER_MIDNIGHT = datetime.fromisoformat("2026-11-17T00:30:00+01:00").astimezone(UTC)


async def test_who_withdraws_after_midnight_has_the_seat_on_the_evening_before() -> None:
    formed = group("w1", "w2")
    memory = Memory(waiting("w1"), formed, at=AFTER_MIDNIGHT)
    await leave(Leave(worker="w1"), memory.work)
    assert formed.members[0] == Membership(worker="w1", since=FIRST, until=date(2026, 11, 17))
    assert said(formed)[-1] == MemberLeft(worker="w1", since=date(2026, 11, 17), members=1)


async def test_who_is_admitted_after_midnight_is_admitted_on_the_day_that_has_begun() -> None:
    memory = Memory()
    admitted = event("w1", WorkerAdmitted(partner="cgil"), AFTER_MIDNIGHT)
    await when_a_worker_is_admitted_they_wait(admitted, memory.work)
    seeker = memory.held[Seeker, "w1"]
    assert isinstance(seeker, Seeker)
    assert seeker.admitted == date(2026, 11, 17)


def test_another_facilitator_leads_from_a_day_on_and_the_group_remembers_who_led_it() -> None:
    formed, last = group("w1"), date(2027, 5, 3)
    formed.entrust("f2", LATER, last)
    assert [(each.facilitator, each.since) for each in formed.leads] == [("f1", FIRST), ("f2", LATER)]
    assert formed.facilitator == "f2"
    assert said(formed)[-1] == FacilitatorAssigned(facilitator="f2", since=LATER)
    formed.entrust("f3", LATER, last)
    assert leader_on(formed.leads, LATER) == "f3", "of two assignments of one day the later one counts"
    for facilitator, since, code in (("f3", last, "leads-already"), ("f4", FIRST, "out-of-order"),
                                     ("f4", date(2027, 5, 4), "out-of-order")):  # fmt: skip
        with pytest.raises(Refused) as refused:
            formed.entrust(facilitator, since, last)
        assert refused.value.code == code
    formed.conclude(last, LATER, Ending.AGREED, AT)
    with pytest.raises(Refused, match="does not meet after"):
        formed.entrust("f4", LATER, last)


def test_a_group_of_an_older_database_was_led_by_one_facilitator_from_its_first_day_on() -> None:
    older = Group.model_validate(group("w1").model_dump(exclude={"led"}))
    assert [(each.facilitator, each.since) for each in older.leads] == [("f1", FIRST)]
    older.entrust("f2", LATER, date(2027, 5, 3))
    assert [each.facilitator for each in older.leads] == ["f1", "f2"]


def leader(id: str, *slots: str, groups: int = 1) -> Facilitator:
    free = frozenset(slots or ("mon-evening",))
    return Facilitator(id=id, municipality="monza", travel_km=30, slots=free, groups=groups)


def another(id: str, facilitator: str, slot: str = "mon-evening") -> Group:
    days = {"first": date(2027, 1, 25) if slot == "mon-evening" else date(2027, 1, 28)}
    return Group.form(id, FORMED.model_copy(update={"slot": slot, "facilitator": facilitator, **days}), [], AT)


async def changed(memory: Memory, facilitator: str, since: date, group: str = "g1") -> str | None:
    try:
        await entrust(Entrust(group=group, facilitator=facilitator, since=since), memory.work)
    except Refused as refused:
        return refused.code
    return None


async def test_a_facilitator_is_changed_from_today_on_if_they_are_free_and_near_enough() -> None:
    one = another("g1", "f1")
    far = leader("far").model_copy(update={"travel_km": 1, "municipality": "seregno"})
    memory = Memory(one, Place.new("casa", HALL), leader("f1"), leader("f2"), leader("f3", "tue-evening"), far,
                    leader("busy"), another("g2", "busy"),
                    leader("full", "mon-evening", "thu-evening"), another("g3", "full", "thu-evening"))  # fmt: skip
    day = date(2027, 2, 8)
    assert await changed(memory, "f3", day) == "facilitator-not-free"
    assert await changed(memory, "busy", day) == "facilitator-not-free"
    assert await changed(memory, "full", day) == "facilitator-full"
    assert await changed(memory, "far", day) == "out-of-reach"
    assert await changed(memory, "f1", day) == "leads-already"
    assert await changed(memory, "f2", date(2027, 1, 10)) == "out-of-order", "yesterday"
    assert await changed(memory, "nobody", day) == "no-such-facilitator"
    assert await changed(memory, "f2", date(2027, 1, 11)) is None, "today"
    assert one.leads[-1].since == one.first, "not before the group first meets"


async def test_whoever_leads_a_group_up_to_a_day_is_taken_until_then_and_free_afterwards() -> None:
    one, other = another("g1", "f1"), another("g2", "f3")
    memory = Memory(one, other, Place.new("casa", HALL), leader("f1"), leader("f2"), leader("f3"))
    change = date(2027, 3, 1)
    assert await changed(memory, "f2", change) is None
    assert await changed(memory, "f1", date(2027, 2, 22), "g2") == "facilitator-not-free", "one week too early"
    assert await changed(memory, "f2", date(2027, 3, 8), "g2") == "facilitator-not-free", (
        "they lead the first group by then"
    )
    assert await changed(memory, "f1", change, "g2") is None
