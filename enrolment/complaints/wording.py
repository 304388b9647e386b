"""Words of complaints, the sentences of refusals, and the forms."""

from pydantic import BaseModel

from enrolment.domain import ComplaintStatus
from services.contracts.paths import Complainant
from services.web import Note
from services.web.frame import Field, Form, Frame, Kind
from services.web.frame.texts import N_

SENTENCES = {
    "no-such-complaint": N_("There is no complaint with this number."),
    "no-such-partner": N_("This organisation is not in the programme."),
    "complaint-answered": N_("This complaint was answered already."),
    "escalated-already": N_("This complaint was handed on already."),
    "too-many-open": N_("Five complaints wait for an answer already. Wait for one of them, or telephone us."),
    "complainant-erased": N_("The person who complained had their data deleted: there is nobody to answer."),
    "no-such-worker": N_("There is no person with this code in the programme."),
    "erased": N_("The data of this person were deleted, at their request."),
    "unavailable": N_(
        "The service does not answer at this moment. Everything that was written is still here: try again shortly."
    ),
}
FRAME = Frame("enrolment.complaints", refusals=SENTENCES)
SIDES: dict[str, str] = {Complainant.WORKER: N_("A participant"), Complainant.PARTNER: N_("An organisation")}
STATUSES: dict[str, str] = {
    ComplaintStatus.RECEIVED: N_("received"),
    ComplaintStatus.ESCALATED: N_("handed to those who are responsible for the programme"),
    ComplaintStatus.ANSWERED: N_("answered"),
}
COMPLAINING = Form(
    Field(
        "text", N_("What went wrong, and what would you like us to do?"), Kind.LONG, hint=N_("At most 500 characters.")
    )
)
ANSWERING = Form(
    Field(
        "text",
        N_("The answer"),
        Kind.LONG,
        hint=N_(
            "At most 500 characters. Whoever complained reads it as it is written here. It cannot be changed afterwards."
        ),
    )
)


class Written(BaseModel):
    """The text of a complaint or of an answer."""

    text: Note
