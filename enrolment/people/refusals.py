"""Sentences for the refusals of the commands behind the pages about people."""

from services.web.frame.texts import N_

_TIMES = N_("One of the times is not in the programme any more. Choose again.")
_TOWN = N_("This municipality is not in the programme any more. Choose again.")
_NOTICE = N_("This version of the notice is not one of the programme. Choose again.")
SENTENCES = {
    "no-such-worker": N_("There is no person with this code in the programme."),
    "erased": N_("The data of this person were deleted, at their request."),
    "not-referred": N_("This was decided already: the person is not waiting for an interview any more."),
    "no-consent": N_("The person has not consented to take part. Record the consent first."),
    "not-enrolled": N_("The person does not take part any more: nothing is left to end."),
    "out-of-order": N_("This day is before a step that has to come first, or before a later decision. Check the day."),
    "not-ended": N_("The person has not left, so there is nothing to come back from."),
    "no-such-step": N_("This step has no date yet, so none can be corrected."),
    "merged": N_("This record ended in another one of the same person. Open that one."),
    "no-such-partner": N_("This place is not in the programme any more. Choose again."),
    "partner-retired": N_("This place is not in the programme any more. Choose again."),
    "programme-over": N_("On this day the programme is over."),
    "in-the-future": N_("This day has not come yet. Write today's date or an earlier one."),
    "no-such-notice": _NOTICE,
    "no-such-language": N_("The notice does not exist in this language. Choose again."),
    "no-such-slot": _TIMES,
    "slot-retired": _TIMES,
    "no-such-municipality": _TOWN,
    "municipality-retired": _TOWN,
    "no-employer": N_("To sit among former colleagues, the company has to be known. Write it."),
    "no-address": N_("Neither an e-mail address nor a telephone number is known. Correct the data first."),
    "no-contact": N_("The person has not consented to take part and to receive messages. Record the consents first."),
    "changed-meanwhile": N_(
        "Somebody else has changed this in the meantime. Open the person's sheet to see it. What is written here replaces it if it is "
        "saved again."
    ),
    "unavailable": N_(
        "The service does not answer at this moment. Everything that was written is still here: try again shortly."
    ),
}
# The field at which a refusal is shown; any other is shown above the form.
AT = {
    "out-of-order": "day",
    "in-the-future": "day",
    "programme-over": "day",
    "no-such-step": "step",
    "no-such-partner": "place",
    "partner-retired": "place",
    "no-such-notice": "notice",
    "no-such-language": "language",
    "no-such-slot": "slots",
    "slot-retired": "slots",
    "no-such-municipality": "municipality",
    "municipality-retired": "municipality",
    "no-employer": "employer",
}
