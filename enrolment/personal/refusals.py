"""Sentences for the refusals that a worker can meet on their own page."""

from services.web.frame.texts import N_

SENTENCES = {
    "no-such-link": N_(
        "This link does not work any more: it was used, it has expired, or a newer one was sent. If you have just pressed the button, what "
        "you asked for is done. Otherwise ask whoever welcomed you for a new link."
    ),
    "no-such-receipt": N_("There is no receipt of this number. Check that it is written as on the page that you saw."),
    "no-such-worker": N_("We do not find your data. Ask whoever welcomed you."),
    "erased": N_("Your data were deleted, as you asked. There is nothing more to see here."),
    "merged": N_("This record was joined with another one of yours. Ask whoever welcomed you for a link to your page."),
    "not-enrolled": N_("You are not in the programme any more, so there is nothing to leave."),
    "no-address": N_(
        "We have no e-mail address and no telephone number of yours, so we cannot send you the confirmation."
    ),
    "no-contact": N_("You did not agree to receive messages from us, so we cannot send you the confirmation."),
    "out-of-order": N_("A later choice of yours counts already. Open the page again to see it."),
    "no-such-notice": N_("The privacy notice changed while the page was open. Send your choices again."),
    "no-such-language": N_("The privacy notice changed while the page was open. Send your choices again."),
    "changed-meanwhile": N_("Your data were changed in the meantime. Look at your choices, and save them again."),
    "unavailable": N_(
        "The service does not answer at this moment. Your choices are still here: send them again shortly."
    ),
}
