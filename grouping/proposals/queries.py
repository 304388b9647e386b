"""From an answer of the formation engine to groups and seats that can be confirmed.

Invariant: nothing is decided here. A proposal is a look; confirming a group or a seat checks every rule again.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from grouping.fitting import can_join
from grouping.formation import Answer, Problem, advise, explanations, place, solve
from grouping.formation.bound import of_one_company
from grouping.formation.explaining import Telling
from grouping.formation.model import Frozen, Group, Person
from grouping.formation.settled import wanting
from services.contracts.base import Slug
from services.contracts.grouping import Kind
from services.kernel import Refusal, Refused
from services.programmes import Programme

SECONDS = 10.0  # at most, for a machine that is busy: the steps take a tenth of it on an idle one
STEPS = 4_000  # for each person who wants a seat: the same pool and seed give the same proposal


def solved(problem: Problem, seed: int) -> Answer:
    """Takes seconds: not for a thread that others wait for."""
    answer = solve(problem, seed, seconds=SECONDS, steps=STEPS * max(1, wanting(problem)))
    return advise(problem, answer, seconds=SECONDS / 10) if answer.unplaced else answer


def told(problem: Problem, answer: Answer) -> dict[str, Any]:
    """Why the answer is as it is: of each new group what it is worth, of those who wait for what, and the figures of all groups. What
    nobody in mixed groups is there to differ in has no figure."""
    meeting = {each.id for each in problem.frozen}
    groups = [each for each in Telling(problem, answer).groups() if each.group.id not in meeting]
    seated = members_of(problem, answer.groups)
    mixed = answer.score if any(not of_one_company(members) for members in seated.values()) else None
    return {
        "worth": [asdict(each) for each in groups],
        "waiting_for": explanations(problem, answer),
        "diversity": mixed.diversity if mixed else None,
        "bound": mixed.bound if mixed else None,
    }


def members_of(problem: Problem, groups: Iterable[Group]) -> dict[str, list[Person]]:
    """Who sits in each group, by its id."""
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
    """Who would join which of the groups that meet already, as `POST /groups/{group}/members` takes them."""
    seated = {each.id: set(each.members) for each in problem.frozen}
    return [
        {"worker": id, "group": group.id}
        for group in answer.groups
        for id in group.members
        if group.id in seated and id not in seated[group.id]
    ]


def seats(problem: Problem, worker: str) -> list[dict[str, Any]]:
    """Every group that meets: what it would mean if somebody joined it, best first; then those they cannot join, and why."""
    comer = next((each for each in problem.people if each.id == worker), None)
    if comer is None:
        raise Refused("no-such-seeker", f"Worker {worker} does not wait for a seat.", Refusal.NOT_FOUND)
    if any(worker in each.members for each in problem.frozen):
        raise Refused("seated-already", f"Worker {worker} is in a group already.", workers=[worker])
    offered = [asdict(each) for each in place(problem, problem.frozen, worker)]
    open_to_them = {each["group"] for each in offered}
    return [*offered, *(_refused(problem, group, comer) for group in problem.frozen if group.id not in open_to_them)]


def _refused(problem: Problem, group: Frozen, comer: Person) -> dict[str, Any]:
    told = {"group": group.id, "members": len(group.members)}
    try:
        can_join(problem, group, comer)
    except Refused as no:
        return told | {"refused": no.code}
    return told
