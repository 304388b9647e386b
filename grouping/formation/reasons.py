"""Why somebody waits on: the first of the reasons, from the plainest, that holds for them as the answer stands."""

from collections import Counter

from grouping.formation.model import Person, Reason
from grouping.formation.seating import Fault, Seating


def why(seating: Seating, person: Person) -> Reason:
    """The reason that is nearest to what would have to change."""
    places = [each for each in seating.problem.places if each.id in seating.reach[person.id]]
    slots = [slot for slot in seating.problem.slots if slot in person.slots]
    if not places:
        return "no_place_in_reach"
    if not slots:
        return "no_slot_in_reach"
    if not any(seating.leaders(slot, place) for slot in slots for place in places):
        return "no_facilitator"
    if person.with_ == "colleagues":
        return "too_few_colleagues"
    open_to_them = [table for table in seating.tables if seating.could(person, table)]
    faults = [
        seating.wrong(table, [*table.members.values(), person])
        for table in open_to_them
        if len(table.members) < seating.most
    ]
    if faults:
        return _of_company(faults)
    if open_to_them:
        return "full"
    used = Counter((table.slot, table.place.id) for table in seating.tables)
    taken = all(used[slot, place.id] >= place.rooms for slot in slots for place in places)
    return "no_room" if taken else "no_slot_in_reach"


def _of_company(faults: list[set[Fault]]) -> Reason:
    """There is room, so somebody they must not meet is there, or nobody like them, or colleagues alone."""
    kinds = {fault[0] for each in faults for fault in each}
    return "apart" if "apart" in kinds else "alone" if "alone" in kinds else "no_slot_in_reach"
