"""Sentences for the refusals that the pages of grouping can show. Where it is told who is meant, the page says so beside the sentence."""

from services.web.frame.texts import N_

SENTENCES = {
    "no-such-group": N_("There is no such group."),
    "no-such-seeker": N_("This person does not wait for a seat, or is not known here."),
    "no-such-place": N_("There is no such place."),
    "no-such-facilitator": N_("There is no such facilitator."),
    "concluded": N_("The group is concluded: it does not meet any more."),
    "group-full": N_("The group has as many members as it may have."),
    "wrong-size": N_("The group would be too small or too large."),
    "wrong-weekday": N_("The first meeting is not on the weekday of the group."),
    "no-room": N_("At that time all rooms of the place are taken."),
    "facilitator-not-free": N_("Whoever was to facilitate is not free at that time."),
    "facilitator-full": N_("Whoever was to facilitate leads as many groups as they can already."),
    "leads-already": N_("This facilitator leads the group already."),
    "not-waiting": N_("Somebody does not wait for a seat any more: they have left, or do not consent to take part."),
    "seated-already": N_("Somebody has a seat in another group already."),
    "not-before": N_("Somebody waits until a later date."),
    "out-of-reach": N_("The place is farther than somebody travels."),
    "no-access": N_("Somebody needs a place without steps, and this one has some."),
    "slot-impossible": N_("Somebody cannot come at that time of the week."),
    "apart": N_("Two of these people are not to sit together."),
    "alone": N_("Somebody would be the only one of their kind in the group."),
    "not-among-colleagues": N_("Somebody sits among colleagues alone, and the group has others too."),
    "among-colleagues": N_("Somebody does not sit among colleagues alone, and this group has nobody else."),
    "no-such-slot": N_("The programme has no such time of the week."),
    "slot-retired": N_("The programme forms no new groups at that time of the week."),
    "no-such-municipality": N_("The programme has no such municipality."),
    "municipality-retired": N_("The programme takes nothing new in that municipality."),
    "id-taken": N_("This code is taken already: choose another one."),
    "programme-over": N_("The date is after the end of the programme."),
    "out-of-order": N_("The date does not fit with the steps before it. Check the dates."),
    "in-the-future": N_("The date has not come yet."),
    "changed-meanwhile": N_("Somebody else has changed this in the meantime. Nothing was saved: look at it again."),
}
# Why a facilitator could not lead a group, in a few words for a list.
UNABLE = {
    "leads-already": N_("leads this group already"),
    "facilitator-not-free": N_("is not free at that time of the week"),
    "facilitator-full": N_("leads as many groups as they can"),
    "out-of-reach": N_("the place is too far"),
}
# Why somebody could not join a group, in a few words for a list.
OBSTACLES = {
    "group-full": N_("the group is full"),
    "not-before": N_("waits until a later date"),
    "slot-impossible": N_("cannot come at that time"),
    "out-of-reach": N_("the place is too far"),
    "no-access": N_("the place has steps"),
    "apart": N_("is to be apart from somebody there"),
    "alone": N_("would be the only one of their kind there"),
    "not-among-colleagues": N_("sits among colleagues alone"),
    "among-colleagues": N_("does not sit among colleagues alone"),
}
