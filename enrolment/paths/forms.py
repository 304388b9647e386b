"""Forms of the catalogue and of requests: their fields, and the models that check them."""

from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import AfterValidator, BaseModel
from pydantic import Field as Limited

from enrolment.paths.wording import ANSWERS, CONSENTED, ENDINGS, KINDS, NEEDS, REASONS
from services.contracts.base import Slug
from services.contracts.enrolment import How
from services.contracts.paths import Answer, Ending, NeedMet, RefusalReason, ServiceKind, ServiceRegistered
from services.programmes import Programme
from services.web import Day, Email, Line, Note, Telephone
from services.web.frame.form import Field, Form, Kind
from services.web.frame.texts import N_

LAST_MINUTE = time(23, 59)
WHEN = N_("Today if it is left empty. For example 27/3/2026.")
DAY = N_("For example 27/3/2026.")


def _web(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("an address of the web begins with https://")
    return text


Web = Annotated[Line, AfterValidator(_web)]

SERVICE = Form(
    Field("seen", N_("Version"), Kind.HIDDEN),
    Field("name", N_("Name of the service"), hint=N_("As people know it.")),
    Field("kind", N_("Kind"), Kind.SELECT, options=KINDS),
    Field("organization_name", N_("Organisation that offers it")),
    Field(
        "organization_id",
        N_("Partner of the network"),
        Kind.SELECT,
        why=N_("a partner with an agreement is also told of requests by its own systems"),
        needed=False,
    ),
    Field("description", N_("What it offers"), Kind.LONG, needed=False),
    Field("eligibility_description", N_("For whom it is"), Kind.LONG, needed=False),
    Field("valid_from", N_("This holds from"), Kind.DAY, hint=DAY, needed=False),
    Field(
        "valid_to",
        N_("This holds until"),
        Kind.DAY,
        hint=N_("After this day the service is shown as expired: rules change. For example 27/3/2026."),
        needed=False,
    ),
    Field("assured_date", N_("Checked with the service on"), Kind.DAY, hint=DAY, needed=False),
    Field("application_process", N_("How one gets there"), Kind.LONG, needed=False),
    Field(
        "email",
        N_("E-mail address for requests"),
        Kind.EMAIL,
        hint=N_("Of an office, not of a person. The link to answer a request goes there."),
        needed=False,
    ),
    Field("phone", N_("Telephone of the office"), Kind.TELEPHONE, needed=False),
    Field("url", N_("Page on the web"), hint=N_("It begins with https://"), needed=False),
)


class ServiceAnswers(BaseModel):
    """Answers of the form of a service. A partner of the network that is chosen gives the organisation its id."""

    name: Line
    kind: ServiceKind
    organization_name: Line
    organization_id: Slug | None = None
    description: Note | None = None
    eligibility_description: Note | None = None
    application_process: Note | None = None
    email: Email | None = None
    phone: Telephone | None = None
    url: Web | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    assured_date: Day | None = None

    def content(self, organization: str) -> ServiceRegistered:
        """What the catalogue says from then on. `organization`: the id of one that is no partner."""
        return ServiceRegistered(**{**self.model_dump(), "organization_id": self.organization_id or organization})


ASKING = Form(
    Field("service", N_("Service"), Kind.SELECT),
    Field(
        "told",
        N_("May the service have the name and the contact of the person?"),
        Kind.RADIOS,
        options={"yes": N_("Yes, the person said so"), "no": N_("No: the service sees a code alone, and asks us")},
        why=N_("without this the service is not told who it is"),
    ),
    Field(
        "how",
        N_("How the person said so"),
        Kind.RADIOS,
        options=CONSENTED,
        hint=N_("Only if the answer above is yes."),
        needed=False,
    ),
)


class Asking(BaseModel):
    """Answers of the form by which a service is asked for."""

    service: Slug
    told: bool
    how: How | None = None


SIGNPOSTING = Form(Field("service", N_("Service of which the person was told"), Kind.SELECT))


class Signposted(BaseModel):
    """Answers of the form of a sign-posting."""

    service: Slug


REPLY = Field("answer", N_("The answer"), Kind.RADIOS, options=ANSWERS)
REASON = Field(
    "reason",
    N_("If the answer is no: why"),
    Kind.RADIOS,
    options=REASONS,
    why=N_("it is told to the person, so that they know what to do next"),
    needed=False,
)
ANSWERING = Form(REPLY, REASON)
NOTING = Form(REPLY, REASON, Field("day", N_("Day of the answer"), Kind.DAY, hint=WHEN, needed=False))
ENDING = Form(
    Field("ending", N_("What came of it"), Kind.RADIOS, options=ENDINGS),
    Field("day", N_("Day on which it ended"), Kind.DAY, hint=WHEN, needed=False),
)
NEED = Form(Field("met", N_("Did it give you what you needed?"), Kind.RADIOS, options=NEEDS))


class Answered(BaseModel):
    """The answer of a receiver."""

    answer: Answer
    reason: RefusalReason | None = None
    day: Day | None = None


class Ended(BaseModel):
    """The end of a request."""

    ending: Ending
    day: Day | None = None


class Need(BaseModel):
    """The worker's word on their need."""

    met: NeedMet = Limited(description="whether the need was met")


def moment_of(day: date | None, rules: Programme) -> datetime | None:
    """The moment of a step on that day: now (None) for today, the last minute of another day."""
    if day is None or day == rules.day_of(datetime.now(UTC)):
        return None
    return datetime.combine(day, LAST_MINUTE, rules.zone)
