"""Totals over people, and what they tell together of few of them: exact linear algebra on membership of the totals.

Invariant: `tells` is true exactly when some linear combination of the totals (whole or fractional factors of any sign) depends on at
least one person and on fewer than `least`. Integers alone: no rounding decides.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import gcd

Contributors = Mapping[bytes, bytes]  # the digest of each person, and that of their value
Vector = tuple[int, ...]
Kinds = Counter[frozenset[Vector]]  # how many people share the same vectors: one per value that they ever had


def tells(totals: Sequence[Contributors], least: int) -> bool:
    """Tell whether a combination of these totals concerns fewer than `least` people.

    That is so when fewer than `least` people can be left out of all totals, and the totals become more dependent on each other.
    """
    kinds = _kinds(totals)
    return _drops(kinds, _rank(kinds), least)


def _kinds(totals: Sequence[Contributors]) -> Kinds:
    """Count people by the totals that they are in; another value of the same person is another unknown."""
    inside: dict[bytes, dict[bytes, list[int]]] = {}
    for place, total in enumerate(totals):
        for person, value in total.items():
            inside.setdefault(person, {}).setdefault(value, [0] * len(totals))[place] = 1
    return Counter(frozenset(tuple(each) for each in values.values()) for values in inside.values())


def _rank(kinds: Kinds) -> int:
    return 1 + _rank(_without(kinds, next(iter(next(iter(kinds)))))) if kinds else 0


def _drops(kinds: Kinds, rank: int, least: int) -> bool:
    """Tell whether the rank falls when fewer than `least` people of these kinds are left out.

    Each kind is either left out or cancelled by the combination. The largest is tried first: few can be left out, few be cancelled.
    """
    if rank == 0:
        return False
    if kinds.total() < least:
        return True
    largest = max(kinds, key=kinds.__getitem__)
    size = kinds[largest]
    if size < least and _drops(Counter({kind: n for kind, n in kinds.items() if kind != largest}), rank, least - size):
        return True
    cancelled = kinds
    for vector in _independent(largest):
        cancelled, rank = _without(cancelled, vector), rank - 1
    return _drops(cancelled, rank, least)


def _independent(vectors: frozenset[Vector]) -> list[Vector]:
    """Give the vectors one after the other, each as the ones before leave it."""
    found, rest = [], Counter([vectors])
    while rest:
        found.append(next(iter(next(iter(rest)))))
        rest = _without(rest, found[-1])
    return found


def _without(kinds: Kinds, vector: Vector) -> Kinds:
    """Return the kinds as combinations see them that cancel this vector: one dimension less. Kinds that are cancelled too are gone."""
    pivot = next(at for at, number in enumerate(vector) if number)
    known: dict[Vector, Vector] = {}
    left: Kinds = Counter()
    for kind, people in kinds.items():
        for each in kind:
            if each not in known:
                known[each] = _reduced(each, vector, pivot)
        remaining = frozenset(known[each] for each in kind if any(known[each]))
        if remaining:
            left[remaining] += people
    return left


def _reduced(each: Vector, vector: Vector, pivot: int) -> Vector:
    """Eliminate the pivot, and divide by what all numbers share: the direction alone counts, and equal ones are then one kind."""
    numbers = [a * vector[pivot] - each[pivot] * b for a, b in zip(each, vector, strict=True)]
    del numbers[pivot]
    first = next((number for number in numbers if number), 1)
    shared = gcd(*numbers) * (1 if first > 0 else -1) or 1
    return tuple(number // shared for number in numbers)
