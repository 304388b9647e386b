"""Reads of the pool, and the engine's answers as groups and seats that can be confirmed.

Invariant: nothing is decided or stored here but the notes of accesses. A command that confirms a group or a seat checks every rule again.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from grouping.domain import Facilitator, Pair, Place, Seeker
from grouping.domain import Group as StoredGroup
from grouping.fitting import can_join, last_day
from grouping.formation import Answer, Problem, advise, lacks, place, solve
from grouping.formation.bound import of_one_company
from grouping.formation.explaining import Telling
from grouping.formation.lacking import lack_sentence
from grouping.formation.model import Frozen, Group, Person
from grouping.formation.settled import wanting
from grouping.pool import problem_of
from services.contracts.base import Id, Slug
from services.contracts.enrolment import Purpose
from services.contracts.grouping import Kind
from services.kernel import Refusal, Refused
from services.programmes import Programme
from services.store.work import Work

SECONDS = 10.0  # at most, for a machine that is busy: the steps take a tenth of it on an idle one
STEPS = 4_000  # for each person who wants a seat: the same pool and seed give the same proposal


async def survey(work: Work, on: date, companies: frozenset[Id] = frozenset()) -> Problem:
    """The problem of everybody who waits and consents, all places and facilitators, and the groups that meet after the day. A group that
    is over by then holds neither its facilitator nor its room; whoever sat in it to the end wants no other seat. `companies`: those
    whose people are to sit among colleagues alone. Logged as an access for each of these people."""
    meeting, waiting = await _meeting_and_waiting(work, on)
    work.reads_for("proposal")
    return await _problem(work, on, meeting, waiting, companies)


async def survey_of_seats(work: Work, worker: Id, on: date) -> Problem:
    """The same with one person of those who wait, and the members of the groups: nobody else counts for a seat in a group. Logged as an
    access for each of them. Refused: no-such-seeker, seated-already."""
    meeting, waiting = await _meeting_and_waiting(work, on)
    if worker not in {each.id for each in waiting}:
        raise Refused("no-such-seeker", f"Worker {worker} does not wait for a seat.", Refusal.NOT_FOUND)
    sitting = {member for group in meeting for member in group.sitting()}
    if worker in sitting:
        raise Refused("seated-already", f"Worker {worker} is in a group already.", workers=[worker])
    work.reads_for("seats")
    return await _problem(work, on, meeting, [each for each in waiting if each.id in {worker, *sitting}])


async def _meeting_and_waiting(work: Work, on: date) -> tuple[list[StoredGroup], list[Seeker]]:
    """The groups that meet after the day, and everybody who waits and consents, their members included."""
    groups = await work.browse(StoredGroup)
    meeting = [each for each in groups if last_day(each, work.rules) > on]
    held = {each.id for each in meeting}
    done = {worker for each in groups if each.id not in held for worker in each.sitting()}
    waiting = [each for each in await work.browse(Seeker, waits=True) if each.id not in done]
    refusing = await work.refusing([each.id for each in waiting], Purpose.PARTICIPATION, guarded=False)
    return meeting, [each for each in waiting if each.id not in refusing]


async def _problem(
    work: Work,
    on: date,
    groups: list[StoredGroup],
    seekers: list[Seeker],
    companies: frozenset[Id] = frozenset(),
) -> Problem:
    return await problem_of(
        work,
        on,
        seekers=seekers,
        places=await work.browse(Place),
        facilitators=await work.browse(Facilitator),
        groups=groups,
        pairs=await work.browse(Pair),
        companies=companies,
    )


async def without_profile(work: Work) -> list[str]:
    """Those who were admitted, are not described, and so are in no problem, by id. Whoever withdrew is not among them."""
    found = await work.browse(Seeker, profile=None, gone=False)
    return sorted(each.id for each in found if each.admitted is not None)


def proposed_by_search(problem: Problem, seed: int, rules: Programme, on: date) -> tuple[Answer, dict[str, Any]]:
    """The engine's answer, and the proposal from it. Takes seconds: call it in a process of its own."""
    answer = solved(problem, seed)
    return answer, proposal(problem, answer, rules, on)


def solved(problem: Problem, seed: int) -> Answer:
    """The engine's answer, with advice for the unplaced."""
    answer = solve(problem, seed, seconds=SECONDS, steps=STEPS * max(1, wanting(problem)))
    return advise(problem, answer, seconds=SECONDS / 10) if answer.unplaced else answer


def proposal(problem: Problem, answer: Answer, rules: Programme, on: date) -> dict[str, Any]:
    """The answer as `POST /proposals` gives it, for groups that begin after the day `on`."""
    return {
        "groups": proposed(problem, answer, rules, on),
        "joining": joining(problem, answer),
        "unplaced": [each.model_dump() for each in answer.unplaced],
        **explained(problem, answer),
    }


def explained(problem: Problem, answer: Answer) -> dict[str, Any]:
    """The score of each new group, what the unplaced wait for, and the figures of all groups. A figure is None when nobody sits in a
    mixed group."""
    meeting = {each.id for each in problem.frozen}
    groups = [each for each in Telling(problem, answer).groups() if each.group.id not in meeting]
    seated = members_of(problem, answer.groups)
    missing = lacks(problem, answer)
    mixed = answer.score if any(not of_one_company(members) for members in seated.values()) else None
    return {
        "worth": [asdict(each) for each in groups],
        "waiting_for": [*_taken_out(answer), *map(lack_sentence, missing)],
        "lacks": missing,
        "diversity": mixed.diversity if mixed else None,
        "bound": mixed.bound if mixed else None,
    }


def _taken_out(answer: Answer) -> list[str]:
    """The sentence about a defect of the search: it would have broken these rules, and places fewer people instead."""
    if not answer.defects:
        return []
    return [f"fewer are placed than the search wanted, since it would have broken a rule: {'; '.join(answer.defects)}"]


def members_of(problem: Problem, groups: Iterable[Group]) -> dict[str, list[Person]]:
    """The members of each group, by its id."""
    people = {each.id: each for each in problem.people}
    return {group.id: [people[id] for id in group.members] for group in groups}


def first_meeting(rules: Programme, slot: Slug, after: date) -> date:
    """The slot's first day after this one."""
    weekday = next(each.isoweekday for each in rules.slots if each.id == slot)
    return after + timedelta(days=(weekday - after.isoweekday() - 1) % 7 + 1)


def proposed(problem: Problem, answer: Answer, rules: Programme, on: date) -> list[dict[str, Any]]:
    """The answer's new groups, as `POST /groups` takes them."""
    meeting = {each.id for each in problem.frozen}
    seated = members_of(problem, answer.groups)
    return [
        {
            "slot": group.slot,
            "place": group.place,
            "facilitator": group.facilitator,
            "first": first_meeting(rules, group.slot, on),
            "members": list(group.members),
            "kind": Kind.HOMOGENEOUS if of_one_company(seated[group.id]) else Kind.HETEROGENEOUS,
        }
        for group in answer.groups
        if group.id not in meeting
    ]


def joining(problem: Problem, answer: Answer) -> list[dict[str, str]]:
    """The workers who would join a group that meets already, as `POST /groups/{group}/members` takes them."""
    seated = {each.id: set(each.members) for each in problem.frozen}
    return [
        {"worker": id, "group": group.id}
        for group in answer.groups
        for id in group.members
        if group.id in seated and id not in seated[group.id]
    ]


def seats(problem: Problem, worker: str) -> list[dict[str, Any]]:
    """The groups that the worker could join, best first, each with its effect; then the others, with the code of the refusal."""
    comer = next(each for each in problem.people if each.id == worker)
    offered = [asdict(each) for each in place(problem, problem.frozen, worker)]
    open_to_them = {each["group"] for each in offered}
    return [*offered, *(_refused(problem, group, comer) for group in problem.frozen if group.id not in open_to_them)]


def _refused(problem: Problem, group: Frozen, comer: Person) -> dict[str, Any]:
    seat = {"group": group.id, "members": len(group.members)}
    try:
        can_join(problem, group, comer)
    except Refused as refusal:
        return seat | {"refused": refusal.code}
    return seat
