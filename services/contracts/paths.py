"""Events of the path to other services: what the catalogue offers, who was pointed or asked for to which service, and what became of it;
situations after the programme; complaints.

Invariant: which service somebody was sent to says something of the person, so every event that names a person is restricted.
"""

from enum import StrEnum

from services.contracts.base import Day, EventData, Field, Id, Moment, Restricted, Slug
from services.contracts.enrolment import How


class ServiceKind(StrEnum):
    """A kind of territorial service."""

    DOTE_LAVORO = "dote-lavoro"  # the voucher of the Region of Lombardy for services to find work
    TRAINING = "training"
    ORIENTATION = "orientation"
    WORK_INCLUSION = "work-inclusion"  # SIL, the service for the inclusion of people with difficulties at work
    SOCIAL = "social"
    HEALTH = "health"
    OTHER = "other"


class ServiceStatus(StrEnum):
    """Status of a service in the catalogue, in the words of Open Referral HSDS. Nothing new is asked of an inactive one."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class Answer(StrEnum):
    """The answer of the organisation that was asked. After `needs-assessment` a last answer follows."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NEEDS_ASSESSMENT = "needs-assessment"


class RefusalReason(StrEnum):
    """The reason of a refusal. A choice and no text, so that nothing about the person is written here."""

    NOT_ELIGIBLE = "not-eligible"
    NO_PLACES = "no-places"
    NOT_OFFERED = "not-offered"
    NOT_REACHED = "not-reached"
    OTHER = "other"


class Ending(StrEnum):
    """The end of a request: the service was given, or it was given up."""

    COMPLETED = "completed"
    ABANDONED = "abandoned"


class NeedMet(StrEnum):
    """The worker's own word on whether the need was met."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class OutcomeMoment(StrEnum):
    """The moment for which a situation is told, as the ESF+ asks for it."""

    EXIT = "exit"
    SIX_MONTHS = "six-months"


class Situation(StrEnum):
    """The situation of a person in the labour market."""

    EMPLOYED = "employed"
    SELF_EMPLOYED = "self-employed"
    TRAINING = "training"  # in education or training
    SEARCHING = "searching"  # looks for work, and has none
    INACTIVE = "inactive"  # has no work, and does not look for it
    UNKNOWN = "unknown"  # the person was asked and did not say, or was not reached


class Complainant(StrEnum):
    """The side from which a complaint comes."""

    WORKER = "worker"
    PARTNER = "partner"


class ServiceRegistered(EventData):
    """A service of the catalogue (the subject) was added or corrected. The names of the fields are those of Open Referral HSDS 3.0; what
    the organisation is has its prefix. `valid_from` and `valid_to`: the days on which the notes on eligibility hold, both included;
    `assured_date`: the day on which they were checked last."""

    type = "it.amalavoro.enrolment.service.registered.v1"
    topic = "ama.enrolment"
    name: str
    kind: ServiceKind
    organization_id: Slug
    organization_name: str
    description: str | None = None
    eligibility_description: str | None = None
    application_process: str | None = None
    email: str | None = None
    phone: str | None = None
    url: str | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    assured_date: Day | None = None
    status: ServiceStatus = ServiceStatus.ACTIVE


class WorkerSignposted(Restricted):
    """An operator told the worker of a service. Nothing is asked of the service; the worker goes there or not."""

    type = "it.amalavoro.enrolment.worker.signposted.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "analytics")
    person = "worker"
    worker: Id
    service: Slug


class ServiceRequested(Restricted):
    """A service was asked for the worker; the subject is the request. `told`: the worker consents that the receiver is given their name
    and contact, and said so in the way `how`."""

    type = "it.amalavoro.enrolment.service.requested.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications", "analytics")
    person = "worker"
    worker: Id
    service: Slug
    receiver: Slug
    told: bool = False
    how: How | None = None


class RequestLinked(Restricted):
    """The receiver of a request (the subject) gets a link, behind which it answers without an account. It replaces an earlier link. Of
    `token` (256 random bits, base64url) enrolment keeps a digest alone."""

    type = "it.amalavoro.enrolment.request.linked.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications")
    person = "worker"
    worker: Id
    service_name: str
    organization_name: str
    email: str
    token: str = Field(
        pattern=r"^[A-Za-z0-9_-]{43}$", examples=["7kQ1nW5bTz8RcY2vXj6LmP0sHd4uFg9aBeNi3oCxKqE"], repr=False
    )
    expires: Moment


class ServiceAnswered(Restricted):
    """The receiver answered a request (the subject), or an operator wrote its answer down. `reason`: of a refusal."""

    type = "it.amalavoro.enrolment.service.answered.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications", "analytics")
    person = "worker"
    worker: Id
    service: Slug
    receiver: Slug
    answer: Answer
    reason: RefusalReason | None = None


class ServiceCompleted(Restricted):
    """A request (the subject) came to its end. `need_met` is the worker's word; a later event of the request may add it."""

    type = "it.amalavoro.enrolment.service.completed.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications", "analytics")
    person = "worker"
    worker: Id
    service: Slug
    receiver: Slug
    ending: Ending
    need_met: NeedMet | None = None


class OutcomeRecorded(Restricted):
    """The situation of a worker on a day after the programme. Of several for one day, the last one counts."""

    type = "it.amalavoro.enrolment.outcome.recorded.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "analytics")
    person = "worker"
    worker: Id
    moment: OutcomeMoment
    situation: Situation
    day: Day


class ComplaintReceived(EventData):
    """Somebody complained. The subject is the complaint; who complained, and what they wrote, is in no open event."""

    type = "it.amalavoro.enrolment.complaint.received.v1"
    topic = "ama.enrolment"
    by: Complainant
    due: Day


class ComplaintEscalated(EventData):
    """The complaint (the subject) went to those who are responsible for the programme."""

    type = "it.amalavoro.enrolment.complaint.escalated.v1"
    topic = "ama.enrolment"


class ComplaintAnswered(EventData):
    """The complaint (the subject) was answered. The answer itself is in no event."""

    type = "it.amalavoro.enrolment.complaint.answered.v1"
    topic = "ama.enrolment"


class ComplaintReplied(Restricted):
    """There is an answer to the complaint of this worker, to be told to them alone. The subject is the complaint."""

    type = "it.amalavoro.enrolment.complaint.replied.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications")
    person = "worker"
    worker: Id
