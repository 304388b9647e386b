"""Explanations of an answer, computed from the problem and the answer alone. For each group: its score, and which other slots, places and
facilitators were possible. For each unplaced person: the answer's reasons, and the obstacle between them and each group.

Invariant: everything said here was counted here, except reasons and helps, which are the answer's own.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grouping.formation.measuring import group_diversity, part
from grouping.formation.model import Answer, Group, Help, Person, Place, Problem, Unplaced

REASONS = {
    "no_slot_in_reach": "no group meets within reach in a slot that they can attend",
    "no_place_in_reach": "no place is within reach",
    "no_facilitator": "no facilitator could lead a group that they could come to",
    "no_room": "no room is free where they could come",
    "apart": "somebody sits there from whom they are to be apart",
    "alone": "they would be alone of their kind",
    "too_few_colleagues": "too few colleagues wait",
    "not_before": "they wait until a date",
    "full": "the groups that they could come to are full",
}
CHANGES = {  # sentence, and its subject when the help names none
    "slot": ("if {of} could attend {to}", "they"),
    "facilitator_slot": ("if {of} were free in {to}", "a facilitator"),
    "room": ("with {to} rooms at {of}", "a place"),
    "travel_km": ("if {of} went as far as {to} km", "they"),
}


class Because(NamedTuple):
    """One reason for which a group meets there and then. `joined`: `number` joined a group that meets already. `could`: `number` of `of`
    who could come. `slot`, `place`, `facilitator`: the one that was taken, and the `others` that were possible."""

    what: str
    taken: str = ""
    others: tuple[str, ...] = ()
    number: int = 0
    of: int = 0


@dataclass(frozen=True)
class GroupExplained:
    """A group with its score. `parts`: what each attribute adds to the mean distance. `together`: wanted pairs in the group. `why`: each
    of `because` as a sentence."""

    group: Group
    company: str | None
    diversity: float
    parts: dict[str, float]
    together: int
    km: float
    longest_wait: int
    because: tuple[Because, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class PersonExplained:
    """An unplaced person. `hindrances`: by obstacle, the number of groups of which it is the first that they meet."""

    person: Person
    reasons: tuple[str, ...]
    helps: tuple[str, ...]
    hindrances: dict[str, int]


class Telling:
    """The explanations of one answer. KeyError where the answer names something that the problem does not define."""

    def __init__(self, problem: Problem, answer: Answer) -> None:
        self.problem, self.answer = problem, answer
        self.people = {each.id: each for each in problem.people}
        self.places = {each.id: each for each in problem.places}
        self.town = {name: number for number, name in enumerate(problem.municipalities)}
        self.members = {group.id: [self.people[id] for id in group.members] for group in answer.groups}
        self.apart = {frozenset(pair) for pair in problem.apart}

    def groups(self) -> list[GroupExplained]:
        return [self._group(group) for group in self.answer.groups]

    def waiting(self) -> list[PersonExplained]:
        return [self._person(each) for each in self.answer.unplaced]

    def changes(self) -> list[str]:
        """Sentences for the changes that the answer names, most placed first, without those that help one person alone."""
        found = {help_ for each in self.answer.unplaced for help_ in each.helps if help_.places > 1 or help_.of}
        return [
            help_sentence(each) for each in sorted(found, key=lambda each: (-each.places, each.change, str(each.to)))
        ]

    def _group(self, group: Group) -> GroupExplained:
        members = self.members[group.id]
        attributes = self.problem.attributes.items() if len(members) > 1 else ()
        companies = {each.company for each in members}
        because = tuple(self._because(group, members))
        return GroupExplained(
            group=group,
            company=companies.pop() if len(companies) == 1 else None,
            diversity=group_diversity(self.problem, members),
            parts={name: part(attribute, name, members) for name, attribute in attributes},
            together=sum(set(pair) <= set(group.members) for pair in self.problem.together),
            km=sum(self._km(each, self.places[group.place]) for each in members) / max(1, len(members)),
            longest_wait=max((each.waiting_days for each in members), default=0),
            because=because,
            why=tuple(map(reason_sentence, because)),
        )

    def _because(self, group: Group, members: Sequence[Person]) -> Iterable[Because]:
        place = self.places[group.place]
        if old := next((each for each in self.problem.frozen if each.id == group.id), None):
            yield Because("joined", number=len(members) - len(old.members))
            return
        could = sum(group.slot in each.slots and self._reaches(each, place) for each in self.problem.people)
        yield Because("could", number=len(members), of=could)
        slots = [each for each in self.problem.slots if all(each in person.slots for person in members)]
        yield _taken("slot", group.slot, slots)
        near = [each.id for each in self.problem.places if all(self._reaches(person, each) for person in members)]
        yield _taken("place", group.place, near)
        yield _taken("facilitator", group.facilitator, self._leaders(group))

    def _leaders(self, group: Group) -> list[str]:
        """The facilitators who could lead this group, given the other groups of the answer."""
        led = Counter(each.facilitator for each in self.answer.groups)
        busy = {each.facilitator for each in self.answer.groups if each.slot == group.slot}
        place = self.town[self.places[group.place].municipality]
        return [
            each.id
            for each in self.problem.facilitators
            if each.id == group.facilitator
            or (
                group.slot in each.slots
                and each.id not in busy
                and led[each.id] < each.groups
                and self.problem.km[self.town[each.municipality]][place] <= each.travel_km
            )
        ]

    def _person(self, each: Unplaced) -> PersonExplained:
        person = self.people[each.id]
        hindrances = Counter(self._hindrance(person, group) for group in self.answer.groups)
        reasons = tuple(REASONS[reason] for reason in each.reasons)
        helps = [help_sentence(help_) for help_ in each.helps]
        if "alone" in each.reasons and (kind := self.alone_in(person)):
            helps.append(f"one more person with {kind} who can come when and where they can")
        return PersonExplained(person, reasons, tuple(helps), dict(hindrances.most_common()))

    def alone_in(self, person: Person) -> str:
        """The levels of the person that nobody has in any group to which they could come, such as "gender x"."""
        return " and ".join(f"{name} {level}" for name, level in self.alone_levels(person).items())

    def alone_levels(self, person: Person) -> dict[str, str]:
        """The same levels by attribute."""
        could = [
            member
            for group in self.answer.groups
            if group.slot in person.slots and self._reaches(person, self.places[group.place])
            for member in self.members[group.id]
        ]
        return {
            name: level
            for name, attribute in self.problem.attributes.items()
            if attribute.no_one_alone and (level := person.attributes.get(name)) is not None
            if all(each.attributes.get(name) != level for each in could)
        }

    def _hindrance(self, person: Person, group: Group) -> str:
        place, members = self.places[group.place], self.members[group.id]
        if person.not_before and self.problem.on and person.not_before > self.problem.on:
            return "too early"
        if group.slot not in person.slots:
            return "another slot"
        if self._km(person, place) > person.travel_km:
            return "too far"
        if person.needs_access and not place.access:
            return "no access"
        if len(members) >= self.problem.size[1]:
            return "full"
        if any(frozenset((person.id, each.id)) in self.apart for each in members):
            return "kept apart"
        return "the company there" if self._unfit(person, members) else "nothing"

    def _unfit(self, person: Person, members: Sequence[Person]) -> bool:
        """True when a person would be newly alone of their kind, or among people whom somebody there does not want."""
        for name, attribute in self.problem.attributes.items():
            level = person.attributes.get(name)
            if attribute.no_one_alone and level and all(each.attributes.get(name) != level for each in members):
                return True
        alike = person.company is not None and all(each.company == person.company for each in members)
        unwanted = "others" if alike else "colleagues"
        return any(each.with_ == unwanted for each in (person, *members))

    def _reaches(self, person: Person, place: Place) -> bool:
        return self._km(person, place) <= person.travel_km and (place.access or not person.needs_access)

    def _km(self, person: Person, place: Place) -> float:
        return self.problem.km[self.town[person.municipality]][self.town[place.municipality]]


def help_sentence(help_: Help) -> str:
    """A sentence for a change and the number of people that it would place."""
    change, whose = CHANGES[help_.change]
    to = f"{help_.to:g}" if isinstance(help_.to, float) else help_.to
    return f"{change.format(of=help_.of or whose, to=to)}: {help_.places} placed"


def _taken(what: str, taken: str, possible: Iterable[str]) -> Because:
    return Because(what, taken, tuple(each for each in possible if each != taken))


def reason_sentence(reason: Because) -> str:
    """A sentence for a reason."""
    match reason.what:
        case "joined":
            return f"meets already; {reason.number} joined"
        case "could":
            return f"{reason.number} of {reason.of} who could come there then"
        case "slot":
            return _only("slot", "all can attend", "all could also attend", reason.others, reason.taken)
        case "place":
            return _only("place", "all reach", "all also reach", reason.others, reason.taken)
    return _only("facilitator", "could lead then", "could lead too:", reason.others, reason.taken)


def _only(what: str, alone: str, others: str, found: Sequence[str], taken: str) -> str:
    more = [each for each in found if each != taken]
    if not more:
        return f"{taken} is the only {what} that {alone}" if what != "facilitator" else f"nobody but {taken} {alone}"
    return f"{others} {', '.join(more[:3])}{f' and {len(more) - 3} more' if len(more) > 3 else ''}"
