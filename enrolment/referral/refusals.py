"""Sentences for the refusals that the commands of a referral can give, on the pages of the referrer."""

from services.web.frame.texts import N_

SENTENCES = {
    "out-of-order": N_("Today is outside the days on which this programme takes referrals. Nothing was sent."),
    "partner-retired": N_("This organisation does not take part in the programme any more, so it cannot refer people."),
    "no-referrer": N_("This organisation is not one of those that refer people in this programme."),
    "not-a-referrer": N_("This organisation is not one of those that refer people in this programme."),
    "no-such-worker": N_("This referral is not one of this organisation's, or the data of the person were deleted."),
    "no-such-slot": N_("One of the times is not in the programme any more. Choose again."),
    "slot-retired": N_("One of the times is not in the programme any more. Choose again."),
    "no-such-municipality": N_("This municipality is not in the programme any more. Choose again."),
    "municipality-retired": N_("This municipality is not in the programme any more. Choose again."),
    "no-such-notice": N_("The privacy notice changed while the form was open. Send the form again."),
    "no-such-language": N_("The privacy notice changed while the form was open. Send the form again."),
    "unavailable": N_(
        "The service does not answer at this moment. Everything that was written is still here: send it again shortly."
    ),
}
