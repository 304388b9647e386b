"""Words of the catalogue and of requests: kinds, statuses, answers, reasons, and what a worker says of their need."""

from enrolment.domain import RequestStatus
from enrolment.paths.refusals import SENTENCES
from services.contracts.enrolment import How
from services.contracts.paths import Answer, Ending, NeedMet, RefusalReason, ServiceKind
from services.web.frame import Frame
from services.web.frame.texts import N_

FRAME = Frame("enrolment.paths", refusals=SENTENCES)
KINDS: dict[str, str] = {
    ServiceKind.DOTE_LAVORO: N_("Voucher for work (dote lavoro)"),
    ServiceKind.TRAINING: N_("Training"),
    ServiceKind.ORIENTATION: N_("Orientation"),
    ServiceKind.WORK_INCLUSION: N_("Work inclusion (SIL)"),
    ServiceKind.SOCIAL: N_("Social services"),
    ServiceKind.HEALTH: N_("Health services (ASL)"),
    ServiceKind.OTHER: N_("Other"),
}
STATUSES = {
    RequestStatus.REQUESTED: N_("Waits for the answer"),
    RequestStatus.NEEDS_ASSESSMENT: N_("The service wants to meet the person first"),
    RequestStatus.ACCEPTED: N_("Accepted"),
    RequestStatus.REFUSED: N_("Not accepted"),
    RequestStatus.COMPLETED: N_("Service given"),
    RequestStatus.ABANDONED: N_("Given up"),
}
COLOURS = {
    RequestStatus.REQUESTED: "warning",
    RequestStatus.NEEDS_ASSESSMENT: "warning",
    RequestStatus.ACCEPTED: "good",
    RequestStatus.REFUSED: "danger",
    RequestStatus.COMPLETED: "good",
    RequestStatus.ABANDONED: "plain",
}
ANSWERS: dict[str, str] = {
    Answer.ACCEPTED: N_("Yes: the person can come"),
    Answer.NEEDS_ASSESSMENT: N_("We have to meet the person first, to see if it is possible"),
    Answer.REFUSED: N_("No: it is not possible"),
}
REASONS: dict[str, str] = {
    RefusalReason.NOT_ELIGIBLE: N_("The person does not meet the conditions of the service"),
    RefusalReason.NO_PLACES: N_("There are no places, or no funds"),
    RefusalReason.NOT_OFFERED: N_("The service is not offered any more"),
    RefusalReason.NOT_REACHED: N_("The person could not be reached"),
    RefusalReason.OTHER: N_("Another reason"),
}
ENDINGS: dict[str, str] = {
    Ending.COMPLETED: N_("The person got the service"),
    Ending.ABANDONED: N_("Nothing came of it: the request is given up"),
}
NEEDS: dict[str, str] = {
    NeedMet.YES: N_("Yes"),
    NeedMet.PARTLY: N_("In part"),
    NeedMet.NO: N_("No"),
}
CONSENTED: dict[str, str] = {
    How.IN_PERSON: N_("Said face to face"),
    How.SIGNED_PAPER: N_("Signed on paper"),
}
# On the worker's own page.
OWN_STATUSES = {
    RequestStatus.REQUESTED: N_("we have asked, and wait for the answer"),
    RequestStatus.NEEDS_ASSESSMENT: N_("the service would like to meet you first"),
    RequestStatus.ACCEPTED: N_("the service has said yes"),
    RequestStatus.REFUSED: N_("the service has said no"),
    RequestStatus.COMPLETED: N_("done"),
    RequestStatus.ABANDONED: N_("given up"),
}
