"""Advice for those who wait: single changes of the problem, each tried by solving again around the given answer.

Invariant: a change is named only if the problem with that change has an answer that breaks no rule and places as many more people as is
said. Changes: one more slot for a person, one more slot for a facilitator, a room, a person's kilometres. They are tried in the order of
an estimate: how many of those who wait could come to the group that the change opens.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from grouping.formation import annealing, timetable
from grouping.formation.answering import answered
from grouping.formation.budget import Budget
from grouping.formation.careful import mended
from grouping.formation.chains import Search, forget, search, tell, way_in
from grouping.formation.checking import check
from grouping.formation.explaining import Telling
from grouping.formation.lacking import Lack, lack_sentence
from grouping.formation.model import Answer, Help, Person, Problem, Unplaced
from grouping.formation.pool import Pool, pool
from grouping.formation.tables import NOBODY, Tables, copied, open_group, seated

STRICT = 1e6
EACH = 3  # helps at most for one person
TRIED = 12  # changes that open a group, at most
ASKED = 60  # people at most whose own slots and ways are tried, longest waiting first


@dataclass(frozen=True)
class Idea:
    """A change, the problem with it, and the group that it would open, if any, with how many could come (`hope`)."""

    help: Help
    person: str | None
    problem: Problem
    cell: tuple[int, int, int] | None = None
    hope: int = 1


def advise(problem: Problem, answer: Answer, seconds: float) -> Answer:
    """The answer with helps, those first that place most. A person gets those by which they would sit themselves."""
    until = time.perf_counter() + seconds
    waiting = {each.id for each in answer.unplaced if "not_before" not in each.reasons}
    helped: dict[str, list[Help]] = {}
    arrays = pool(problem)
    for idea in sorted(_ideas(problem, arrays, answer, waiting), key=lambda each: -each.hope):
        if time.perf_counter() > until:
            break
        again = solved_again(idea, answer)
        more = len(answer.unplaced) - len(again.unplaced)
        if more > 0 and not check(idea.problem, again):
            sits = waiting - {each.id for each in again.unplaced}
            for id in sits if idea.person is None else {idea.person} & sits:
                helped.setdefault(id, []).append(idea.help.model_copy(update={"places": more}))
    unplaced = tuple(_with(each, helped.get(each.id, [])) for each in answer.unplaced)
    return answer.model_copy(update={"unplaced": unplaced})


def _with(one: Unplaced, helps: Sequence[Help]) -> Unplaced:
    ranked = sorted(helps, key=lambda each: -each.places)
    return one.model_copy(update={"helps": tuple(ranked[:EACH])})


def solved_again(idea: Idea, answer: Answer) -> Answer:
    """An answer to the changed problem, found around the answer to the original one."""
    return _around(idea.problem, answer, idea.cell)


def _around(problem: Problem, answer: Answer, cell: tuple[int, int, int] | None = None) -> Answer:
    """An answer to this problem that begins with the groups of another one, and a new group in this cell."""
    arrays = pool(problem)
    made = seated(problem, arrays, answer.groups)
    work = timetable.work(arrays, made, copied(made), 1)
    closed = np.flatnonzero(made.slot < 0)
    if cell is not None and len(closed):
        open_group(made, int(closed[0]), *cell, NOBODY)
    timetable.settle(arrays, made, work)
    timetable.close_short(arrays, made, work)
    totals = annealing.totals_of(arrays, made, work.rng)
    annealing.anneal(arrays, made, totals, 4 * len(totals.groups) * arrays.most, 0.0, STRICT * (totals.far[0] + 1))
    mended(problem, arrays, made, 1, Budget(None, None))
    return answered(problem, arrays, made, answer.seed)


def _ideas(problem: Problem, arrays: Pool, answer: Answer, waiting: set[str]) -> list[Idea]:
    made = seated(problem, arrays, answer.groups)
    standing = np.array([at for at, each in enumerate(problem.people) if each.id in waiting], np.int64)
    if not len(standing):
        return []
    could = arrays.free[standing].T.astype(int) @ arrays.reach[standing].astype(int)
    opened = [*_facilitators(problem, arrays, made, could), *_rooms(problem, arrays, made, could)]
    opened.sort(key=lambda each: -each.hope)
    longest = standing[np.argsort(-arrays.waited[standing], kind="stable")][:ASKED]
    met = search(made)
    return [*opened[:TRIED], *(idea for person in longest for idea in _own(problem, arrays, made, met, int(person)))]


def _facilitators(problem: Problem, arrays: Pool, made: Tables, could: Any) -> Iterator[Idea]:
    """Ideas: one more slot for a facilitator who may lead one more group, at the place where most could come."""
    free = np.where(made.used < arrays.rooms[None, :], could, 0)
    for leader in np.flatnonzero(made.led < arrays.load):
        for slot in np.flatnonzero(arrays.leads[leader] == 0):
            reached = np.where(arrays.goes[leader] == 1, free[slot], 0)
            if len(reached) and reached.max() > 0:
                one = problem.facilitators[leader]
                changed = one.model_copy(update={"slots": (*one.slots, problem.slots[slot])})
                others = tuple(changed if each is one else each for each in problem.facilitators)
                help_ = Help(change="facilitator_slot", of=one.id, to=problem.slots[slot])
                cell = (int(slot), int(reached.argmax()), int(leader))
                yield Idea(help_, None, problem.model_copy(update={"facilitators": others}), cell, int(reached.max()))


def _rooms(problem: Problem, arrays: Pool, made: Tables, could: Any) -> Iterator[Idea]:
    """Ideas: one more room at a place, in the slot in which most could come and somebody could lead."""
    able = (arrays.leads == 1) & (made.busy == 0) & (made.led < arrays.load)[:, None]
    for at, place in enumerate(problem.places):
        slots = [slot for slot in range(len(problem.slots)) if made.used[slot, at] >= place.rooms and could[slot, at]]
        slots = [slot for slot in slots if (able[:, slot] & (arrays.goes[:, at] == 1)).any()]
        if slots:
            slot = max(slots, key=lambda each: int(could[each, at]))
            leader = int(np.flatnonzero(able[:, slot] & (arrays.goes[:, at] == 1))[0])
            changed = place.model_copy(update={"rooms": place.rooms + 1})
            others = tuple(changed if each is place else each for each in problem.places)
            help_ = Help(change="room", of=place.id, to=place.rooms + 1)
            cell = (slot, at, leader)
            yield Idea(help_, None, problem.model_copy(update={"places": others}), cell, int(could[slot, at]))


def _own(problem: Problem, arrays: Pool, made: Tables, met: Search, person: int) -> Iterator[Idea]:
    """Ideas: one more slot of the person's own, or the fewest kilometres more, by which a chain leads to a free seat."""
    one = problem.people[person]
    for slot in np.flatnonzero(arrays.free[person] == 0):
        free = arrays.free.copy()
        free[person, slot] = 1
        if _way(arrays, arrays._replace(free=free), made, met, person):
            yield _changed(
                problem, person, Help(change="slot", to=problem.slots[slot]), slots=(*one.slots, problem.slots[slot])
            )
    for place in np.argsort(arrays.km[person], kind="stable"):
        km = float(arrays.km[person, place])
        if km > one.travel_km and (problem.places[place].access or not one.needs_access):
            reach = arrays.reach.copy()
            reach[person, place] = 1
            if _way(arrays, arrays._replace(reach=reach), made, met, person):
                yield _changed(problem, person, Help(change="travel_km", to=km), travel_km=km)
                return


def _way(arrays: Pool, changed: Pool, made: Tables, met: Search, person: int) -> bool:
    """True when a chain leads to a free seat once this person's part of the arrays is changed."""
    forget(arrays, made, met)
    before = met.fit[person].copy()
    tell(changed, made, met, person)
    found = way_in(made, met, person) >= 0
    met.fit[person] = before
    return bool(found)


def _changed(problem: Problem, person: int, help_: Help, **changes: Any) -> Idea:
    one = problem.people[person]
    changed = one.model_copy(update=changes)
    people = (*problem.people[:person], changed, *problem.people[person + 1 :])
    return Idea(help_, one.id, problem.model_copy(update={"people": people}))


def explanations(problem: Problem, answer: Answer, most: int = 5) -> list[str]:
    """The fewest sentences about those who wait: where most of them could come, and what is missing there."""
    return [lack_sentence(each) for each in lacks(problem, answer, most)]


def lacks(problem: Problem, answer: Answer, most: int = 5) -> list[Lack]:
    """Return what most of those who wait lack, by as few lacks as possible."""
    arrays = pool(problem)
    made = seated(problem, arrays, answer.groups)
    waiting = {each.id for each in answer.unplaced if "not_before" not in each.reasons}
    left = np.array([each.id in waiting for each in problem.people], bool)
    told = [*_companies(problem, waiting, left), *_kinds(problem, answer, left)]
    able = (arrays.leads == 1) & (made.busy == 0) & (made.led < arrays.load)[:, None]
    led = np.einsum("fs,fp->sp", able.astype(int), arrays.goes.astype(int)) > 0
    if left.any() and not (arrays.load > made.led).any():
        return [*told, Lack("load", int(left.sum()))]
    while left.any() and len(told) < most:
        could = arrays.free[left].T.astype(int) @ arrays.reach[left].astype(int)
        if not could.size or could.max() == 0:
            told.append(Lack("unreachable", int(left.sum())))
            break
        slot, place = np.unravel_index(could.argmax(), could.shape)
        there = left & (arrays.free[:, slot] == 1) & (arrays.reach[:, place] == 1)
        told.append(_missing(problem, arrays, made, int(slot), int(place), bool(led[slot, place]), int(there.sum())))
        left &= ~there
    return told


def _missing(problem: Problem, arrays: Pool, made: Tables, slot: int, place: int, led: bool, people: int) -> Lack:
    slot_, place_ = problem.slots[slot], problem.places[place].id
    if made.used[slot, place] >= arrays.rooms[place]:
        return Lack("room", people, slot_, place_)
    return Lack("people", people, slot_, place_, arrays.least) if led else Lack("facilitator", people, slot_, place_)


def _companies(problem: Problem, waiting: set[str], left: Any) -> Iterator[Lack]:
    """Lacks of colleagues who insist on colleagues, one for each company. They are taken out of `left`."""
    least, most = problem.size
    wait = Counter(each.company for each in problem.people if each.id in waiting and each.with_ == "colleagues")
    for company, number in wait.items():
        total = sum(each.company == company and each.with_ != "others" for each in problem.people)
        groups = total // least
        yield Lack(
            "colleagues",
            number,
            company=str(company),
            total=total,
            groups=groups,
            seated=min(total, groups * most),
            needed=least,
            most=most,
            more=max(1, least * (groups + 1) - total),
        )
        for at, each in enumerate(problem.people):
            if each.company == company and each.with_ == "colleagues":
                left[at] = False


def _kinds(problem: Problem, answer: Answer, left: Any) -> Iterator[Lack]:
    """Lacks of people who would be alone of their kind, one for each kind. They are taken out of `left`.

    That one more of the kind would help is tried, with a second person like the one who waits.
    """
    telling, alone = Telling(problem, answer), {each.id for each in answer.unplaced if "alone" in each.reasons}
    kinds: dict[str, list[Person]] = {}
    for at, each in enumerate(problem.people):
        if each.id in alone and left[at] and (kind := telling.alone_in(each)):
            kinds.setdefault(kind, []).append(each)
            left[at] = False
    for kind, people in kinds.items():
        helps = len(people) == 1 and _sits_with_another(problem, answer, people[0])
        levels = tuple(telling.alone_levels(people[0]).items())
        yield Lack("alone", len(people), kind=kind, levels=levels, helps=helps)


def _sits_with_another(problem: Problem, answer: Answer, one: Person) -> bool:
    """True when the person would sit if somebody like them waited too."""
    ids = {each.id for each in problem.people}
    twin = one.model_copy(update={"id": next(id for n in count(2) if (id := f"{one.id}-{n}") not in ids)})
    larger = problem.model_copy(update={"people": (*problem.people, twin)})
    again = _around(larger, answer)
    return not check(larger, again) and one.id not in {each.id for each in again.unplaced}
