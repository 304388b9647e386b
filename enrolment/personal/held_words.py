"""The words for what each service holds: titles of its collections and names of their fields, as English texts to translate.

Invariant: a name without words is shown as it is, so that a new field is never left out of the page.
"""

from collections.abc import Mapping

from services.web.frame.texts import N_

HELD: Mapping[str, str] = {
    "worker": N_("The record of your way"),
    "desk": N_("Your steps, as lists show them"),
    "history": N_("What happened, in order"),
    "leaders": N_("Who facilitates your group"),
    "members": N_("Your membership, for the names in a roll-call"),
    "seeker": N_("Your place on the waiting list"),
    "pair": N_("Wishes about with whom you sit"),
    "group": N_("Your places in groups"),
    "pool": N_("The waiting list, as lists show it"),
    "waiting": N_("Since when you wait, as lists show it"),
    "participant": N_("Your part in meetings and questionnaires"),
    "roster": N_("Your groups by date"),
    "session": N_("Meetings to which you came, or not"),
    "survey": N_("Your questionnaires and answers"),
    "recipient": N_("About what we write to you"),
    "calendar": N_("Groups whose first meeting is awaited"),
    "message": N_("Messages to you"),
    "known": N_("The organisation that told us about you"),
    "entry": N_("What that organisation was told"),
    "path": N_("Your steps, for the figures of the programme"),
    "attendance": N_("Meetings to which you came, for the figures"),
    "scores": N_("Results of your questionnaires, for the figures"),
}
FIELDS: Mapping[str, str] = {
    "partner": N_("Organisation"),
    "status": N_("State"),
    "referred": N_("Referred"),
    "admitted": N_("Admitted"),
    "declined": N_("Not admitted"),
    "withdrawn": N_("Left"),
    "consents": N_("Consents"),
    "given": N_("Given"),
    "notice": N_("Version of the notice"),
    "language": N_("Language"),
    "at": N_("When"),
    "how": N_("How"),
    "recorded_by": N_("Recorded by"),
    "recorder": N_("Account that recorded it"),
    "purpose": N_("Purpose"),
    "card": N_("Name and contacts"),
    "given_name": N_("Given name"),
    "family_name": N_("Family name"),
    "email": N_("E-mail address"),
    "phone": N_("Telephone number"),
    "profile": N_("What we use to find a group"),
    "sketch": N_("What was known before the profile"),
    "municipality": N_("Municipality"),
    "travel_km": N_("Kilometres that you can travel"),
    "slots": N_("Times"),
    "slot": N_("Time"),
    "gender": N_("Gender"),
    "birth_year": N_("Year of birth"),
    "employer": N_("Company"),
    "not_before": N_("Not before"),
    "needs_access": N_("Place without steps"),
    "group": N_("Group"),
    "groups": N_("Groups"),
    "place": N_("Place"),
    "since": N_("From"),
    "until": N_("Until"),
    "number": N_("Number"),
    "starts": N_("Begins"),
    "present": N_("Present"),
    "answers": N_("Answers"),
    "instrument": N_("Questionnaire"),
    "wave": N_("Wave"),
    "due": N_("For the day"),
    "wish": N_("Wish"),
    "reason": N_("Reason"),
    "channel": N_("Sent by"),
    "fact": N_("Fact"),
    "written": N_("Written down"),
    "scores": N_("Results"),
    "links": N_("Links that open your page"),
    "expires": N_("Expires"),
}


def held_as(name: str) -> str:
    """Give the words for a field; the name itself when there are none."""
    return FIELDS.get(name, name.replace("_", " "))
