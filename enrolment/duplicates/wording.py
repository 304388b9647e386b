"""Words of the pages of possible duplicates."""

from services.web.frame.texts import N_

SENTENCES = {
    "no-such-worker": N_("There is no such person."),
    "same-record": N_("It is the same record twice."),
    "merged": N_("One of the two records has ended in another one already."),
    "erased": N_("The data of one of the two were deleted."),
    "two-seats": N_("Both have a seat in a group. End one of the two seats first."),
    "seat-ends": N_("This person has a seat in a group: the record with the seat has to stay."),
    "merging-already": N_("One of the two is about to be merged already."),
    "not-judged": N_("Nothing was decided about these two records."),
}
STAYS = N_("One person: the record %(code)s goes on, the other one ends")
DIFFERENT = N_("They are two people: do not ask again")
DONE = {
    "unione": N_("The merge is planned: it takes effect in a day, and can be cancelled until then."),
    "distinte": N_("It is recorded that they are two people."),
    "annullata": N_("The decision was taken back."),
}
