"""Sentences for the refusals that somebody who asks by themselves can meet."""

from services.web.frame.texts import N_

SENTENCES = {
    "out-of-order": N_("Today this programme takes no requests. Nothing was sent."),
    "no-referrer": N_("This programme takes no requests through this page. Ask the office."),
    "partner-retired": N_("This programme takes no requests through this page. Ask the office."),
    "no-such-partner": N_("This programme takes no requests through this page. Ask the office."),
    "no-such-link": N_("This link is not valid any more. You can ask for a new one."),
    "no-such-asking": N_("This link is not valid any more. You can ask for a new one."),
    "erased": N_("This link is not valid any more. You can ask for a new one."),
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
AT = {
    "no-such-slot": "slots",
    "slot-retired": "slots",
    "no-such-municipality": "municipality",
    "municipality-retired": "municipality",
}  # refusals that concern one field; any other is shown above the form
