"""Words of the bands."""

from enrolment.capacity.bands import Places, Wait
from services.web.frame.texts import N_

PLACES = {
    Places.NONE: N_("none at the moment: whoever is referred waits for a new group"),
    Places.FEW: N_("a few"),
    Places.SOME: N_("available"),
}
WEEKS = {
    Wait.UP_TO_4: N_("up to 4 weeks"),
    Wait.UP_TO_8: N_("4 to 8 weeks"),
    Wait.UP_TO_12: N_("8 to 12 weeks"),
    Wait.LONGER: N_("more than 12 weeks"),
    None: N_("not known yet"),
}
