"""Upper bounds for sets of standing people: the best that each could reach in the groups that are left, if rooms sufficed.

Invariant: no seating of a set is better than its promise; where rooms and facilitators are enough, one is as good. Groups are taken in
layers: first those that meet, one after the other, then as many new ones as there could be.
"""

from typing import Any, NamedTuple

import numpy as np

from grouping.formation.compiling import compiled, inner
from grouping.formation.parties import Parties
from grouping.formation.pool import Pool, in_one_order
from grouping.formation.tables import Tables

EQUAL = 1e-9  # distances that differ by less are equal
DAYS, WORTH, MINOR = range(3)


class Layers(NamedTuple):
    """The order in which groups are filled: `held` groups that meet, then new ones."""

    held: int
    all: int
    start: Any  # [n + 1] first party of a new group with this lowest person
    days: Any  # [2 ** n] worth of seating the set: its number of people first, then their waiting time
    taken: float  # subtracted from worth for everybody who is not among colleagues alone


def layers(pool: Pool, made: Tables, people: Any, found: Parties) -> Layers:
    """The layers, with as many new groups as facilitators could lead, rooms could hold and people could fill."""
    able = (pool.leads == 1) & (made.busy == 0) & (made.led < pool.load)[:, None]
    led = int(np.minimum(np.maximum(0, pool.load - made.led), able.sum(1)).sum())
    held_at_once = np.minimum(able.sum(0), np.maximum(0, pool.rooms - made.used).sum(1))
    new = min(led, int(held_at_once.sum()), int((made.slot < 0).sum()), len(people) // pool.least)
    held = len(found.first) - 2
    lowest = found.people[found.first[held] :]
    lowest = lowest & -lowest
    start = found.first[held] + np.searchsorted(lowest, 1 << np.arange(len(people) + 1))
    return in_one_order(Layers(held, held + new, start, _days(pool.waited[people]), 0.0))


def _days(waited: Any) -> Any:
    """Worth of seating each set. One person counts more than all ranks of days, and a rank more than all lower ranks together."""
    ranks, number = np.unique(waited, return_counts=True)
    worth = np.concatenate([[1.0], np.cumprod(number + 1.0)])
    days = np.zeros(1)
    for rank in np.searchsorted(ranks, waited):
        days = np.concatenate([days, days + worth[-1] + worth[rank]])
    return days


def steps(found: Parties, layers: Layers, people: int) -> int:
    """Number of steps that the table of promises takes."""
    sizes = np.array([int(each).bit_count() for each in found.people])
    new = np.arange(len(sizes)) >= found.first[layers.held]
    lowest = np.log2(np.maximum(1, found.people & -found.people)).astype(int)
    each = np.exp2(people - sizes - np.where(new, lowest, 0)) * np.where(new, layers.all - layers.held, 1)
    return int(each.sum()) + (layers.all << people)


def promised(found: Parties, layers: Layers) -> Any:
    """Table [layers + 1, sets, 3] of days, worth and minor, which are compared in this order."""
    promise = np.zeros((layers.all + 1, len(layers.days), 3))
    _promise(found, layers, promise)
    return promise


@compiled
def better(days: float, worth: float, minor: float, than_days: float, than_worth: float, than_minor: float) -> bool:
    """True when the first three are better than the other three."""
    if days != than_days:
        return bool(days > than_days)
    if abs(worth - than_worth) > EQUAL:
        return bool(worth > than_worth)
    return bool(minor > than_minor + EQUAL * EQUAL)


@compiled
def _promise(found: Parties, layers: Layers, promise: Any) -> None:
    everybody = len(layers.days) - 1
    for layer in range(layers.all - 1, -1, -1):
        new = layer >= layers.held
        group = layers.held if new else layer
        for people in range(everybody + 1):
            for what in range(3):
                promise[layer, people, what] = promise[layer + 1, people, what] if new else -1.0
        for party in range(found.first[group], found.first[group + 1]):
            _with(found, layers, promise, layer, party)
        for people in range(1, everybody + 1 if new else 1):
            fewer = people & (people - 1)
            days, worth, minor = promise[layer, fewer, DAYS], promise[layer, fewer, WORTH], promise[layer, fewer, MINOR]
            _raise(promise, layer, people, days, worth, minor)


@inner
def _raise(promise: Any, layer: int, people: int, days: float, worth: float, minor: float) -> None:
    """Raise the promise for this set if the new one is better."""
    now = promise[layer, people]
    if better(days, worth, minor, now[DAYS], now[WORTH], now[MINOR]):
        now[DAYS], now[WORTH], now[MINOR] = days, worth, minor


@inner
def _with(found: Parties, layers: Layers, promise: Any, layer: int, party: int) -> None:
    """Raise the promises of all sets that contain the party. For a new group: only sets whose lowest person is the party's."""
    people = found.people[party]
    others = (len(layers.days) - 1) & ~people
    if layer >= layers.held:
        others &= -(people & -people)
    worth = found.worth[party] - layers.taken * found.mixed[party]
    rest = others
    while True:
        then = promise[layer + 1, rest]
        days, minor = layers.days[people] + then[DAYS], found.minor[party] + then[MINOR]
        _raise(promise, layer, people | rest, days, worth + then[WORTH], minor)
        if rest == 0:
            return
        rest = (rest - 1) & others
