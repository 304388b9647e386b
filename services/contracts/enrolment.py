"""Events of enrolment: referral, admission, consent, withdrawal and erasure of workers."""

from enum import StrEnum

from pydantic import StrictBool

from services.contracts.base import Code, Day, EventData, Field, Id, Moment, Restricted, Slug


class Purpose(StrEnum):
    """A purpose to which a person consents, separately from the others."""

    PARTICIPATION = "participation"
    CONTACT = "contact"
    RESEARCH = "research"
    PARTNER_FEEDBACK = "partner-feedback"


class Leaving(StrEnum):
    """The reason of a withdrawal. Found work is a success, not a drop-out."""

    FOUND_WORK = "found-work"
    NO_TIME = "no-time"
    ILLNESS = "illness"
    MOVED_AWAY = "moved-away"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    OTHER = "other"

    @property
    def told(self) -> "Leaving":
        """The part of the reason that everybody may know: found work, or not."""
        return self if self is Leaving.FOUND_WORK else Leaving.OTHER


class Among(StrEnum):
    """The only people with whom somebody sits: former colleagues of the same company, or a group of several companies."""

    COLLEAGUES = "colleagues"
    OTHERS = "others"


class How(StrEnum):
    """The way in which a consent reached whoever recorded it: the person said so face to face, signed a paper, or decided on their own
    page."""

    IN_PERSON = "in-person"
    SIGNED_PAPER = "signed-paper"
    BY_LINK = "by-link"


class Origin(StrEnum):
    """The way in which a person came: a partner referred them, they asked themselves, or they stood on a list."""

    PARTNER = "partner"
    SELF = "self"
    LIST = "list"


class Employment(StrEnum):
    """The situation of a person at work. Whoever is about to lose the work counts as much as whoever has lost it."""

    DISMISSED = "dismissed"
    COLLECTIVE_DISMISSAL = "collective-dismissal"
    CIG = "cig"  # wage supplement (cassa integrazione guadagni)
    FIXED_TERM_ENDED = "fixed-term-ended"
    ABOUT_TO_LOSE = "about-to-lose"
    LONG_TERM = "long-term"  # without work for more than twelve months
    OTHER = "other"


class Sector(StrEnum):
    """The section of ATECO 2025 (as NACE Rev. 2.1) to which the last employer belongs."""

    A, B, C, D, E, F, G, H = "A", "B", "C", "D", "E", "F", "G", "H"
    I, J, K, L, M, N, O, P = "I", "J", "K", "L", "M", "N", "O", "P"  # noqa: E741  # as the classification has them
    Q, R, S, T, U, V = "Q", "R", "S", "T", "U", "V"


class Occupation(StrEnum):
    """The major group of CP2021 (Istat) to which the last occupation belongs."""

    DIRECTORS = "1"
    PROFESSIONALS = "2"
    TECHNICIANS = "3"
    CLERKS = "4"
    SALES_AND_SERVICES = "5"
    CRAFTS = "6"
    MACHINES = "7"
    UNSKILLED = "8"
    ARMED_FORCES = "9"


class Education(StrEnum):
    """The highest level that was completed (ISCED 2011). Level 1 stands for none, too."""

    PRIMARY = "isced-1"
    LOWER_SECONDARY = "isced-2"
    UPPER_SECONDARY = "isced-3"
    POST_SECONDARY = "isced-4"
    SHORT_TERTIARY = "isced-5"
    BACHELOR = "isced-6"
    MASTER = "isced-7"
    DOCTORATE = "isced-8"


class Heard(StrEnum):
    """The way in which a person heard of the programme."""

    UNION = "union"
    JOB_CENTRE = "job-centre"
    COMPANY = "company"
    SOCIAL_SERVICES = "social-services"
    ASSOCIATION = "association"
    FRIENDS = "friends"
    WEB = "web"
    PRESS = "press"
    OTHER = "other"


class LinkPurpose(StrEnum):
    """Purpose of a personal link: it opens the person's own page, or confirms one step that cannot be undone."""

    ME = "me"
    LEAVE = "confirm:leave"
    ERASE = "confirm:erase"


class WorkerReferred(EventData):
    """A partner referred a worker, or the worker asked to take part (`partner` is then the partner who took the request)."""

    type = "it.amalavoro.enrolment.worker.referred.v1"
    topic = "ama.enrolment"
    person = "subject"
    partner: Slug
    # Added after the first events: those lack it.
    origin: Origin | None = None


class ConsentChanged(EventData):
    """A worker gave or withdrew consent for one purpose, having read one version of the notice (ISO/IEC TS 27560 terms)."""

    type = "it.amalavoro.enrolment.consent.changed.v1"
    topic = "ama.enrolment"
    person = "subject"
    purpose: Purpose
    given: StrictBool  # "true" or 1 is no consent
    notice: Code
    language: Code
    # Added after the first events: those lack both. `recorded_by`: the role of who wrote it down.
    how: How | None = None
    recorded_by: Slug | None = None


class WorkerAdmitted(EventData):
    """The welcome interview ended in admission."""

    type = "it.amalavoro.enrolment.worker.admitted.v1"
    topic = "ama.enrolment"
    person = "subject"
    partner: Slug


class WorkerDeclined(EventData):
    """The worker was not admitted, or did not want to be."""

    type = "it.amalavoro.enrolment.worker.declined.v1"
    topic = "ama.enrolment"
    person = "subject"
    partner: Slug


class WorkerWithdrawn(EventData):
    """The worker leaves the programme. `reason` is found-work or other; `withdrawal.explained` has the reason itself. Events from before
    that type have it here."""

    type = "it.amalavoro.enrolment.worker.withdrawn.v1"
    topic = "ama.enrolment"
    person = "subject"
    reason: Leaving


class WithdrawalExplained(Restricted):
    """The worker (the subject) left the programme for this reason. It says more about a person than every service may know."""

    type = "it.amalavoro.enrolment.withdrawal.explained.v1"
    topic = "ama.enrolment.restricted"
    readers = ("analytics",)
    person = "subject"
    reason: Leaving


class WorkerCorrected(EventData):
    """The contact card of the worker was corrected: a name, an address, the language. The card itself is in no event."""

    type = "it.amalavoro.enrolment.worker.corrected.v1"
    topic = "ama.enrolment"
    person = "subject"


class WorkerErased(EventData):
    """The person's key is destroyed: whatever was encrypted under it is gone, and whatever was derived must go. `receipt`: the number under
    which the person can show that it was done, drawn at random."""

    type = "it.amalavoro.enrolment.worker.erased.v1"
    topic = "ama.enrolment"
    person = "subject"
    receipt: Slug | None = None  # events of before have none


class WorkerProfiled(Restricted):
    """The facts that grouping matches on. The latest profile replaces the one before. `travel_km` in kilometres by road; `slots` are
    weekly slots. `not_before` holds a person back from every group until that day (a comparison group; a start that was asked for).
    `among`: the only people with whom they sit. `needs_access`: the place has to be step-free; the reason is not asked."""

    type = "it.amalavoro.enrolment.worker.profiled.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "grouping", "analytics")
    person = "subject"
    municipality: Slug
    travel_km: float
    slots: tuple[Slug, ...]
    gender: str | None = None
    birth_year: int | None = None
    employer: Id | None = None
    not_before: Day | None = None
    # Added after the first events: those lack both fields, so both are optional.
    among: Among | None = None
    needs_access: bool = False
    # Added later: what is known of the lost work, for the figures alone. Nothing is matched on it. None: not said.
    employment: Employment | None = None
    sector: Sector | None = None
    occupation: Occupation | None = None
    months_out: int | None = Field(default=None, ge=0, le=720)  # since the work was lost, on the day of the profile
    years_in_job: int | None = Field(default=None, ge=0, le=100)
    education: Education | None = None
    heard: Heard | None = None


class PersonalLinkIssued(Restricted):
    """A new personal link for the worker (the subject), to be sent to them alone. It replaces their link of the same purpose. Enrolment
    keeps only a digest of `token` (256 random bits, base64url): whoever has the token acts as the worker until `expires`."""

    type = "it.amalavoro.enrolment.link.issued.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications")
    person = "subject"
    worker: Id
    purpose: LinkPurpose
    token: str = Field(
        pattern=r"^[A-Za-z0-9_-]{43}$", examples=["9pX2mV7cQe4KZ0tLr8bYw1sHd6uJg3aFnNi5oRkTEx0"], repr=False
    )
    expires: Moment


class PersonalLinkRevoked(Restricted):
    """The worker's personal link of this purpose opens nothing any more, and is not to be sent."""

    type = "it.amalavoro.enrolment.link.revoked.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications")
    person = "subject"
    purpose: LinkPurpose


class SelfReferralOpened(Restricted):
    """Somebody (the subject, who is no worker yet) asked to take part, and gave an address: a link is to be sent to it, behind which is the
    form. Enrolment keeps only a digest of `token` (256 random bits, base64url)."""

    type = "it.amalavoro.enrolment.asking.opened.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications")
    person = "subject"
    token: str = Field(
        pattern=r"^[A-Za-z0-9_-]{43}$", examples=["5rTn2mV7cQe4KZ0tLr8bYw1sHd6uJg3aFnNi5oRkTEx"], repr=False
    )
    expires: Moment


class Contacting(StrEnum):
    """The way in which somebody tried to reach a worker."""

    PHONE = "phone"
    EMAIL = "email"
    MESSAGE = "message"
    IN_PERSON = "in-person"
    OTHER = "other"


class Declining(StrEnum):
    """The reason for which a way ends before the admission."""

    NOT_INTERESTED = "not-interested"
    NOT_REACHED = "not-reached"
    NOT_ELIGIBLE = "not-eligible"
    FOUND_WORK = "found-work"
    NO_TIME = "no-time"
    PREFERS_ANOTHER_SERVICE = "prefers-another-service"
    OTHER = "other"


class Step(StrEnum):
    """A step of a worker's way whose date can be corrected."""

    CONTACTED = "contacted"
    INTERVIEWED = "interviewed"
    ADMITTED = "admitted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Judgement(StrEnum):
    """The judgement of an operator on two records: of one person, of two people, or not decided any more."""

    SAME = "same"
    DIFFERENT = "different"
    OPEN = "open"


class WorkerContacted(EventData):
    """Somebody of the programme has spoken with the worker for the first time since the referral, or since they came back."""

    type = "it.amalavoro.enrolment.worker.contacted.v1"
    topic = "ama.enrolment"
    person = "subject"


class ContactTried(Restricted):
    """Somebody tried to reach the worker (the subject) in this way. `reached`: they answered."""

    type = "it.amalavoro.enrolment.contact.tried.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment",)
    person = "subject"
    how: Contacting
    reached: StrictBool


class InterviewBooked(EventData):
    """The welcome interview has a time. When it is moved this is said again, and the last one counts. `place`: the partner at whose desk it
    is held; None, at the office of the programme."""

    type = "it.amalavoro.enrolment.interview.booked.v1"
    topic = "ama.enrolment"
    person = "subject"
    when: Moment
    place: Slug | None = None


class InterviewHeld(EventData):
    """The welcome interview took place."""

    type = "it.amalavoro.enrolment.interview.held.v1"
    topic = "ama.enrolment"
    person = "subject"


class DeclineExplained(Restricted):
    """The way of the worker (the subject) ended before the admission for this reason."""

    type = "it.amalavoro.enrolment.decline.explained.v1"
    topic = "ama.enrolment.restricted"
    readers = ("analytics",)
    person = "subject"
    reason: Declining


class WorkerReturned(EventData):
    """A worker who was declined or had withdrawn begins the way again, referred by this partner."""

    type = "it.amalavoro.enrolment.worker.returned.v1"
    topic = "ama.enrolment"
    person = "subject"
    partner: Slug


class StepRedated(EventData):
    """The date of a step was wrong. `time` of this event is the right one. `reason`: of a withdrawal, as `worker.withdrawn` told it."""

    type = "it.amalavoro.enrolment.step.redated.v1"
    topic = "ama.enrolment"
    person = "subject"
    step: Step
    reason: Leaving | None = None


class DuplicateJudged(Restricted):
    """An operator judged if the worker (the subject) and the `other` are one person. `due`: when the record of the subject ends in the
    other's, if nobody takes the judgement back."""

    type = "it.amalavoro.enrolment.duplicate.judged.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment",)
    person = "subject"
    other: Id
    judgement: Judgement
    due: Moment | None = None


class WorkerMerged(EventData):
    """The worker (the subject) and `into` are one person: the record of the subject ends, and the other one goes on."""

    type = "it.amalavoro.enrolment.worker.merged.v1"
    topic = "ama.enrolment"
    person = "subject"
    into: Id
