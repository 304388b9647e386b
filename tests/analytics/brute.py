"""Solves the system of what was shown by fractions, in another way than the service: tries every combination that cancels most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations

Row = list[Fraction]


def fewest(totals: Sequence[Mapping[bytes, bytes]]) -> int:
    """Return how few people, but one at least, a linear combination of these totals can concern; 0 when there is none."""
    people = Counter(
        frozenset(tuple(int(total.get(person) == value) for total in totals) for value in values)
        for person in set().union(*totals)
        for values in [{total[person] for total in totals if person in total}]
    )
    vectors = sorted({vector for kind in people for vector in kind})
    rank = len(totals) - len(annulling(vectors, len(totals)))
    found = set()
    for some in combinations(vectors, max(rank - 1, 0)):
        for factors in annulling(some, len(totals)):
            found.add(sum(n for kind, n in people.items() if any(times(factors, vector) for vector in kind)))
    return min(found - {0}, default=0)


def times(factors: Sequence[Fraction], vector: Sequence[int]) -> Fraction:
    return sum((a * b for a, b in zip(factors, vector, strict=True)), Fraction())


def annulling(vectors: Sequence[Sequence[int]], size: int) -> list[Row]:
    """Return a basis of the factors that make each of these vectors zero."""
    rows, pivots = reduced([[Fraction(number) for number in vector] for vector in vectors], size)
    basis = []
    for free in sorted(set(range(size)) - set(pivots)):
        factors = [Fraction(int(at == free)) for at in range(size)]
        for row, pivot in zip(rows, pivots, strict=True):
            factors[pivot] = -row[free]
        basis.append(factors)
    return basis


def reduced(rows: list[Row], size: int) -> tuple[list[Row], list[int]]:
    """Return the reduced row echelon form, without rows of zeros, and the columns of its pivots."""
    done: list[Row] = []
    pivots: list[int] = []
    for column in range(size):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        pivot_row = [number / pivot[column] for number in pivot]
        rows = [minus(row, pivot_row, column) for row in rows if row is not pivot]
        done = [*(minus(row, pivot_row, column) for row in done), pivot_row]
        pivots.append(column)
    return done, pivots


def minus(row: Row, pivot: Row, column: int) -> Row:
    return [a - row[column] * b for a, b in zip(row, pivot, strict=True)]
