"""Sentences for the refusals of the commands on the catalogue and on requests."""

from services.web.frame.texts import N_

SENTENCES = {
    "no-such-worker": N_("There is no person with this code in the programme."),
    "no-such-service": N_("This service is not in the catalogue. Choose again."),
    "no-such-request": N_("There is no request with this number."),
    "service-inactive": N_("This service is not offered any more. Choose another one."),
    "service-active": N_("This service is offered already."),
    "id-taken": N_("This code is taken. Choose another one."),
    "wrong-period": N_("The last day is before the first. Check both."),
    "changed-meanwhile": N_(
        "Somebody else has changed this in the meantime. What is written here replaces it if it is saved again."
    ),
    "no-consent": N_("The person has not consented to take part. Record the consent first."),
    "no-how": N_("Choose how the person said that they may be named."),
    "no-reason": N_("Choose the reason for the refusal."),
    "answered-already": N_("This request was answered already."),
    "link-used": N_("This request was answered already."),
    "not-accepted": N_(
        "The service has not accepted the person, so nothing could be completed. Record the answer first."
    ),
    "ended-already": N_("This request has come to its end already."),
    "not-asked": N_("There is nothing to say about this request at this moment."),
    "told-already": N_("You have said it already. Thank you."),
    "no-receiver-address": N_(
        "No e-mail address of this service is known. Add it in the catalogue, or ask by telephone."
    ),
    "no-such-link": N_("This link is not valid any more."),
    "erased": N_("The data of this person were deleted, at their request."),
    "out-of-order": N_("This day is before a step that has to come first. Check the day."),
    "in-the-future": N_("This day has not come yet. Write today's date or an earlier one."),
    "unavailable": N_(
        "The service does not answer at this moment. Everything that was written is still here: try again shortly."
    ),
}
# The field at which a refusal is shown; any other is shown above the form.
AT = {
    "no-such-service": "service",
    "service-inactive": "service",
    "wrong-period": "valid_to",
    "no-how": "how",
    "no-reason": "reason",
    "not-accepted": "ending",
    "out-of-order": "day",
    "in-the-future": "day",
}
