"""Words for what operators choose about a meeting."""

from services.contracts.sessions import Cancelling
from services.web.frame.texts import N_

CANCELLING = {
    Cancelling.NO_FACILITATOR.value: N_("the facilitator cannot come"),
    Cancelling.NO_PLACE.value: N_("the place is not available"),
    Cancelling.HOLIDAY.value: N_("it is a holiday"),
    Cancelling.AGREED.value: N_("the group has decided so"),
    Cancelling.OTHER.value: N_("another reason"),
}
