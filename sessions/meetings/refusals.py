"""Sentences for the refusals that the pages about meetings can show."""

from services.web.frame.texts import N_

SENTENCES = {
    "no-such-session": N_("There is no such meeting, or it is of a group that somebody else leads."),
    "no-such-group": N_("There is no such group, or somebody else leads it."),
    "not-yet-held": N_("The roll is called from the beginning of the meeting on."),
    "not-a-member": N_("Somebody who was marked was no member of the group on that day. Look at the list again."),
    "out-of-order": N_("The group was concluded before this meeting: no roll is called of it."),
    "changed-meanwhile": N_("Somebody else has saved another roll-call of this meeting since you opened the page."),
    "cancelled-already": N_("This meeting was cancelled."),
}
OF_THE_SERIES = {  # of the pages that move, cancel or add a meeting
    **SENTENCES,
    "changed-meanwhile": N_("Somebody else has changed this meeting since you opened the page. Look at it again."),
    "out-of-order": N_("The group does not meet yet on this day: choose a later one."),
    "held-already": N_("The roll of this meeting was called: it is neither moved nor cancelled any more."),
    "group-concluded": N_("The group is concluded: it does not meet any more."),
    "same-day": N_("The group has another meeting on this day: choose another day."),
    "programme-over": N_("This day is after the end of the programme: choose an earlier one."),
    "facilitator-busy": N_("The facilitator leads another group at this time: choose another day or time."),
    "no-meetings-left": N_("The group has all the meetings that the programme grants. Cancel one before adding one."),
    "no-such-place": N_("There is no such place."),
}
