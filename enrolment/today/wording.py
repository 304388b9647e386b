"""Words of the page of today: what each list is about, why somebody is in it, and the one action."""

from typing import NamedTuple

from enrolment.today.queries import LATE, List
from services.web.frame.texts import N_


class About(NamedTuple):
    """A list in words. `action`: a text and the end of the address of the person's sheet that it leads to."""

    title: str
    reason: str
    action: str
    leads: str


ABOUT = {
    List.UNANSWERED: About(
        N_("Without an answer for more than two weeks"),
        N_("referred, and nobody has decided"),
        N_("Open and decide"),
        "",
    ),
    List.INTERVIEW: About(
        N_("Welcome interviews of today, or past without a result"),
        N_("the interview is booked"),
        N_("Open for the interview"),
        "/colloquio",
    ),
    List.CONTACT: About(
        N_("To contact"), N_("referred, and nobody has spoken with them"), N_("Record the contact"), "/contatto"
    ),
    List.BOOK: About(
        N_("To interview, without a day"),
        N_("contacted, no interview is booked"),
        N_("Book the interview"),
        "/appuntamento",
    ),
    List.CONSENT: About(
        N_("Without the consent to take part"), N_("interviewed, no consent yet"), N_("Record consents"), "/consensi"
    ),
    List.DECIDE: About(
        N_("Interviewed, and not decided"), N_("interviewed, with the consent to take part"), N_("Open and decide"), ""
    ),
    List.PROFILE: About(
        N_("Admitted, without a profile"),
        N_("in no proposal of groups until the profile is there"),
        N_("Complete the profile"),
        "/profilo",
    ),
}
REFUSED = N_("said no to taking part")
assert LATE == 14  # the title says two weeks
