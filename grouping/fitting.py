"""Checks of the hard rules before a seat is given: the people, and where and when they meet.

Invariant: a proposal of the engine is refused here only if the pool has changed since. A seat that breaks a rule is refused with the
code of that rule.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from grouping.domain import Group, State
from grouping.formation.bound import of_one_company
from grouping.formation.model import Frozen, Person, Place, Problem
from grouping.formation.seating import faults
from services.contracts.leading import periods_of
from services.kernel import Refused
from services.programmes import Programme, meeting_days

REFUSALS = {  # by the engine's name of a fault among members: the code of the refusal, and its sentence
    # Without the two: the wish is shown by `GET /workers/{worker}/pairs` alone.
    "apart": ("apart", "Two of these people are not to sit together."),
    "alone": ("alone", "In {} somebody would be alone with {}."),
    "colleagues": ("not-among-colleagues", "Worker {} sits among colleagues alone."),
    "others": ("among-colleagues", "Worker {} does not sit among colleagues alone."),
}


def last_day(group: Group, rules: Programme) -> date:
    """The last day on which the group meets, as it was fixed when it was formed or concluded; later, if a meeting was moved or added
    past it."""
    fixed = (group.days or meeting_days(rules, group.first))[-1]
    return group.concluded or max(fixed, group.extended or fixed)


def is_over(group: Group, rules: Programme, today: date) -> bool:
    """Tell whether a group that is not concluded had its last meeting before that day."""
    return group.state is State.FORMED and last_day(group, rules) < today


def that_meet(groups: Iterable[Group], days: Sequence[date], rules: Programme) -> list[Group]:
    """Those that meet at some time between the first and the last of these days: then they hold their facilitator and their room."""
    return [each for each in groups if each.first <= days[-1] and days[0] <= last_day(each, rules)]


def most_at_once(groups: Sequence[Group], days: Sequence[date], rules: Programme) -> int:
    """The largest number of these groups that meet at one time between the first and the last of these days."""
    starts = {days[0], *(each.first for each in groups if days[0] <= each.first <= days[-1])}
    return max(len(that_meet(groups, [day], rules)) for day in starts)


class Held(NamedTuple):
    """A weekly slot that a facilitator gives to a group, from a day to a day (both included)."""

    slot: str
    first: date
    last: date


def held_by(facilitator: str, groups: Iterable[Group], rules: Programme) -> list[Held]:
    """The times in which this facilitator leads one of these groups."""
    return [
        Held(rules.slot_id(group.slot), *period)
        for group in groups
        for period in periods_of(group.leads, facilitator, group.first, last_day(group, rules))
    ]


def held_between(held: Iterable[Held], first: date, last: date) -> list[Held]:
    """Those that touch the time between two days."""
    return [each for each in held if each.first <= last and first <= each.last]


def most_held(held: Sequence[Held], first: date, last: date) -> int:
    """The largest number of them at one time between two days."""
    starts = {first, *(each.first for each in held if first <= each.first <= last)}
    return max(len(held_between(held, day, day)) for day in starts)


def can_come(problem: Problem, person: Person, slot: str, place: Place) -> None:
    """Refuse a person who cannot be there on the day, in the slot, or at the place."""
    if person.not_before is not None and problem.on is not None and problem.on < person.not_before:
        raise Refused("not-before", f"Worker {person.id} waits until {person.not_before}.", worker=person.id)
    if slot not in person.slots:
        raise Refused("slot-impossible", f"Worker {person.id} cannot attend {slot}.", worker=person.id)
    at = problem.municipalities.index
    if problem.km[at(person.municipality)][at(place.municipality)] > person.travel_km:
        raise Refused("out-of-reach", f"Worker {person.id} does not reach place {place.id}.", worker=person.id)
    if person.needs_access and not place.access:
        raise Refused("no-access", f"Place {place.id} is not step-free, as worker {person.id} needs.", worker=person.id)


def can_sit_together(problem: Problem, members: Sequence[Person], before: Sequence[Person] = ()) -> None:
    """Refuse members among whom there is a fault that was not there `before` somebody joined."""
    for fault, one, other in sorted(faults(problem, members) - faults(problem, before)):
        code, sentence = REFUSALS[fault]
        raise Refused(code, sentence.format(one, other))


def are_colleagues(members: Sequence[Person]) -> None:
    """Refuse a group that would be called homogeneous and is not of one company."""
    if not of_one_company(members):
        raise Refused("not-among-colleagues", "A homogeneous group is of one company.")


def can_join(problem: Problem, group: Frozen, person: Person) -> None:
    """Refuse a person who cannot join a group that meets."""
    people = {each.id: each for each in problem.people}
    members = [people[id] for id in group.members]
    if len(members) >= problem.size[1]:
        raise Refused("group-full", f"Group {group.id} has {len(members)} members, as many as may be.")
    can_come(problem, person, group.slot, next(each for each in problem.places if each.id == group.place))
    can_sit_together(problem, [*members, person], members)
