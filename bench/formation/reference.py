"""The reference: answers by a general solver, CP-SAT on the natural count model, with one thread and a limit in seconds.

The model. A group chooses one cell (slot, place, facilitator) and its members; c counts its members of each level, or above each level of
an ordinal attribute; the sum of squares of these counts is least where diversity is most, as all groups have the size that they have in
the planted answer. The planted answer is its hint, so that it need not search for a timetable, which is the harder part.
Invariant: it obeys every rule of the planted families, and places everybody who is placed in the planted answer.
"""

from collections.abc import Iterable
from itertools import product
from math import lcm
from typing import NamedTuple

from ortools.sat.python import cp_model

from bench.formation.generator import Planted
from grouping.formation.model import Answer, Group, Person, Problem

Cell = tuple[str, str, str]


class Found(NamedTuple):
    """An answer of the solver. `optimal`: it proved that no answer of its model is better."""

    answer: Answer
    optimal: bool


def cpsat(planted: Planted, seconds: float, *, meeting: bool = True, first: bool = False) -> Found:
    """The best answer within the time. Without `meeting`: as if everybody could come anywhere at any time. `first`: any answer will do."""
    model = _Model(planted, meeting)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.stop_after_first_solution = first
    status = solver.solve(model.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise RuntimeError(f"no answer in {seconds} s: {solver.status_name(status)}")
    return Found(model.answer(solver), status == cp_model.OPTIMAL)


class _Model:
    def __init__(self, planted: Planted, meeting: bool) -> None:
        self.problem, self.hint = planted
        self.model = cp_model.CpModel()
        seated = {id for group in self.hint.groups for id in group.members}
        self.people = [each for each in self.problem.people if each.id in seated]
        self.groups = self.hint.groups
        self.sits = {
            (each.id, group.id): self.model.new_bool_var(f"{each.id} in {group.id}")
            for each, group in product(self.people, self.groups)
        }
        for each in self.people:
            self.model.add_exactly_one(self.sits[each.id, group.id] for group in self.groups)
        for group in self.groups:
            self.model.add(sum(self.sits[each.id, group.id] for each in self.people) == len(group.members))
            for id in group.members:
                self.model.add_hint(self.sits[id, group.id], 1)
        self.at: dict[tuple[str, Cell], cp_model.IntVar] = {}
        if meeting:
            self._meet()
            self._stay_apart()
        self.model.minimize(sum(self._squares()))

    def _meet(self) -> None:
        there = list(cells(self.problem))
        could = {each.id: {cell for cell in there if may_come(self.problem, each, cell)} for each in self.people}
        self.at = at = {(group.id, cell): self.model.new_bool_var("") for group, cell in product(self.groups, there)}
        for group in self.groups:
            self.model.add_exactly_one(at[group.id, cell] for cell in there)
            self.model.add_hint(at[group.id, (group.slot, group.place, group.facilitator)], 1)
            for each in self.people:
                here = [at[group.id, cell] for cell in there if cell in could[each.id]]
                self.model.add_bool_or([*here, self.sits[each.id, group.id].negated()])
        groups = [group.id for group in self.groups]
        for slot, leader in product(self.problem.slots, self.problem.facilitators):
            self.model.add_at_most_one(at[g, c] for g, c in product(groups, there) if (c[0], c[2]) == (slot, leader.id))
        for leader in self.problem.facilitators:
            self.model.add(sum(at[g, c] for g, c in product(groups, there) if c[2] == leader.id) <= leader.groups)
        for slot, place in product(self.problem.slots, self.problem.places):
            used = (at[g, c] for g, c in product(groups, there) if c[:2] == (slot, place.id))
            self.model.add(sum(used) <= place.rooms)

    def _stay_apart(self) -> None:
        known = {each.id for each in self.people}
        for (one, other), group in product(self.problem.apart, self.groups):
            if {one, other} <= known:
                self.model.add_at_most_one(self.sits[one, group.id], self.sits[other, group.id])

    def _squares(self) -> Iterable[cp_model.LinearExprT]:
        """Terms of the sum to minimise, in whole numbers."""
        parts = lcm(*(len(each.levels) - 1 for each in self.problem.attributes.values() if each.kind == "ordinal"), 1)
        for (name, attribute), group in product(self.problem.attributes.items(), self.groups):
            size, levels = len(group.members), attribute.levels
            for level in levels:
                number = self._counted(group.id, name, {level}, size)
                if attribute.no_one_alone:
                    self.model.add(number != 1)
                if attribute.kind == "nominal":
                    yield round(attribute.weight * parts) * self._square(number, size)
            if attribute.kind == "ordinal":
                for t in range(1, len(levels)):
                    above = self._counted(group.id, name, set(levels[t:]), size)
                    worth = round(attribute.weight * parts) // (len(levels) - 1)
                    yield worth * self._square(above, size)
                    yield worth * self._square(size - above, size)

    def _counted(self, group: str, name: str, levels: set[str], size: int) -> cp_model.IntVar:
        number = self.model.new_int_var(0, size, "")
        here = (self.sits[each.id, group] for each in self.people if each.attributes.get(name) in levels)
        self.model.add(number == sum(here))
        return number

    def _square(self, number: cp_model.LinearExprT, size: int) -> cp_model.IntVar:
        square = self.model.new_int_var(0, size * size, "")
        self.model.add_multiplication_equality(square, [number, number])
        return square

    def answer(self, solver: cp_model.CpSolver) -> Answer:
        cells = {group.id: (group.slot, group.place, group.facilitator) for group in self.groups}
        cells |= {group: cell for (group, cell), chosen in self.at.items() if solver.boolean_value(chosen)}
        members = {
            group.id: tuple(each.id for each in self.people if solver.boolean_value(self.sits[each.id, group.id]))
            for group in self.groups
        }
        groups = tuple(
            Group(id=id, slot=slot, place=place, facilitator=leader, members=members[id])
            for id, (slot, place, leader) in cells.items()
        )
        return Answer(groups=groups, unplaced=self.hint.unplaced)


def cells(problem: Problem) -> Iterable[Cell]:
    town = {name: number for number, name in enumerate(problem.municipalities)}
    for slot, place, leader in product(problem.slots, problem.places, problem.facilitators):
        far = problem.km[town[leader.municipality]][town[place.municipality]]
        if slot in leader.slots and far <= leader.travel_km:
            yield slot, place.id, leader.id


def may_come(problem: Problem, person: Person, cell: Cell) -> bool:
    town = next(each.municipality for each in problem.places if each.id == cell[1])
    far = problem.km[problem.municipalities.index(person.municipality)][problem.municipalities.index(town)]
    return cell[0] in person.slots and far <= person.travel_km
