"""Sentences for the refusals that the pages about meetings can show."""

from services.web.frame.texts import N_

SENTENCES = {
    "no-such-session": N_("There is no such meeting, or it is of a group that somebody else leads."),
    "no-such-group": N_("There is no such group, or somebody else leads it."),
    "not-yet-held": N_("The roll is called from the beginning of the meeting on."),
    "not-a-member": N_("Somebody who was marked was no member of the group on that day. Look at the list again."),
    "out-of-order": N_("The group was concluded before this meeting: no roll is called of it."),
    "changed-meanwhile": N_("Somebody else has saved another roll-call of this meeting since you opened the page."),
}
