"""The problem as arrays, which the compiled loops read and never change.

Invariant: rows are in the order of the problem's people, facilitators, places and slots. A person stands in one column for each attribute:
one of its levels, or "not known". Distances between people are sums over these columns.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from grouping.formation.model import Attribute, Facilitator, Person, Problem

T = TypeVar("T", bound="tuple[Any, ...]")

EITHER, COLLEAGUES, OTHERS = range(3)
UNKNOWN = 0.5  # the distance of a missing value from any


class Pool(NamedTuple):
    """n people, a attributes, c columns. Lists of pairs are in compressed rows (`mates[first[i]:first[i + 1]]`)."""

    free: Any  # [n, slots] can attend
    reach: Any  # [n, places] reaches, and can enter
    company: Any  # [n], -1: none
    wish: Any  # [n]: either, colleagues, others
    waited: Any  # [n] days
    waits: Any  # [n] wants a seat now: has none yet, and does not wait until later
    column: Any  # [n, a]
    row: Any  # [n, c] distance from the person to somebody in that column
    own: Any  # [n] distance that the row gives to the person's own columns
    far: float  # no two people are farther apart
    lone: Any  # [c] nobody may be the only one in this column
    apart_first: Any
    apart: Any
    together_first: Any
    together: Any
    leads: Any  # [facilitators, slots]
    goes: Any  # [facilitators, places]
    load: Any  # [facilitators]
    rooms: Any  # [places]
    km: Any  # [n, places]
    least: int
    most: int


def pool(problem: Problem) -> Pool:
    """The arrays of a problem."""
    people = problem.people
    number = {each.id: at for at, each in enumerate(people)}
    companies = {
        name: at for at, name in enumerate(dict.fromkeys(each.company for each in people if each.company is not None))
    }
    seated = {id for group in problem.frozen for id in group.members}
    km, leaders_km = _km(problem, people), _km(problem, problem.facilitators)
    access = np.array([each.access for each in problem.places], bool)
    needs = np.array([each.needs_access for each in people], bool)
    limits = np.array([each.travel_km for each in people], float)
    column, row, lone = _distances(problem.attributes, people)
    own = row[np.arange(len(people))[:, None], column].sum(1) if len(people) else np.zeros(0)
    apart_first, apart = _rows(len(people), [(number[a], number[b]) for a, b in problem.apart])
    together_first, together = _rows(len(people), [(number[a], number[b]) for a, b in problem.together])
    return in_one_order(
        Pool(
            free=_marks(problem.slots, [each.slots for each in people]),
            reach=((km <= limits[:, None]) & (access[None, :] | ~needs[:, None])).astype(np.uint8),
            company=np.array([-1 if each.company is None else companies[each.company] for each in people], np.int64),
            wish=np.array([(None, "colleagues", "others").index(each.with_) for each in people], np.int8),
            waited=np.array([each.waiting_days for each in people], np.int64),
            waits=np.array([each.id not in seated and not later(problem, each) for each in people], np.uint8),
            column=column,
            row=row,
            own=own,
            far=_farthest(column, row),
            lone=lone,
            apart_first=apart_first,
            apart=apart,
            together_first=together_first,
            together=together,
            leads=_marks(problem.slots, [each.slots for each in problem.facilitators]),
            goes=(leaders_km <= np.array([each.travel_km for each in problem.facilitators], float)[:, None]).astype(
                np.uint8
            ),
            load=np.array([each.groups for each in problem.facilitators], np.int64),
            rooms=np.array([each.rooms for each in problem.places], np.int64),
            km=km,
            least=problem.size[0],
            most=problem.size[1],
        )
    )


def in_one_order(arrays: T) -> T:
    """The same named tuple with each array in C order. numba compiles a loop anew for every other order that it meets, and numpy's
    operations give one or the other by the shape of the problem."""
    ordered = (np.ascontiguousarray(each) if isinstance(each, np.ndarray) else each for each in arrays)
    return type(arrays)(*ordered)


def later(problem: Problem, person: Person) -> bool:
    """True when the person is to wait until a later day."""
    return person.not_before is not None and problem.on is not None and person.not_before > problem.on


def _marks(slots: Sequence[str], chosen: Iterable[Sequence[str]]) -> Any:
    at = {slot: number for number, slot in enumerate(slots)}
    rows = [list(each) for each in chosen]
    marks = np.zeros((len(rows), len(slots)), np.uint8)
    for number, each in enumerate(rows):
        marks[number, [at[slot] for slot in each]] = 1
    return marks


def _km(problem: Problem, who: Sequence[Person | Facilitator]) -> Any:
    at = {name: number for number, name in enumerate(problem.municipalities)}
    km = np.array(problem.km, float).reshape(len(at), len(at))
    places = [at[each.municipality] for each in problem.places]
    return np.ascontiguousarray(km[[at[each.municipality] for each in who]][:, places].reshape(len(who), len(places)))


def _rows(number: int, pairs: Sequence[tuple[int, int]]) -> tuple[Any, Any]:
    mates: list[set[int]] = [set() for _ in range(number)]
    for one, other in pairs:
        if one != other:
            mates[one].add(other)
            mates[other].add(one)
    first = np.zeros(number + 1, np.int64)
    first[1:] = np.cumsum([len(each) for each in mates])
    return first, np.array([mate for each in mates for mate in sorted(each)], np.int64)


def _distances(attributes: dict[str, Attribute], people: Sequence[Person]) -> tuple[Any, Any, Any]:
    """Columns, rows, and the columns in which nobody may be alone, attribute by attribute."""
    width = sum(len(each.levels) + 1 for each in attributes.values())
    column = np.zeros((len(people), len(attributes)), np.int64)
    row, lone, first = np.zeros((len(people), width)), np.zeros(width, np.uint8), 0
    for at, (name, attribute) in enumerate(attributes.items()):
        levels: dict[str | None, int] = {level: number for number, level in enumerate(attribute.levels)}
        stands = [levels.get(each.attributes.get(name), len(levels)) for each in people]
        column[:, at] = first + np.array(stands, np.int64)
        row[:, first : first + len(levels) + 1] = distances(attribute)[stands]
        lone[first : first + len(levels)] = attribute.no_one_alone
        first += len(levels) + 1
    return column, row, lone


def _farthest(column: Any, row: Any) -> float:
    return float(sum(row[:, np.unique(each)].max(initial=0) for each in column.T))


def distances(attribute: Attribute) -> Any:
    """Weighted distances between any two levels; the last level is "not known"."""
    levels = len(attribute.levels)
    between = np.full((levels + 1, levels + 1), UNKNOWN)
    at = np.arange(levels)
    if attribute.kind == "ordinal" and levels > 1:
        between[:levels, :levels] = abs(at[:, None] - at[None, :]) / (levels - 1)
    else:
        between[:levels, :levels] = at[:, None] != at[None, :]
    return between * attribute.weight
