"""Events of programmes: a programme was published, whole, by enrolment.

Invariant: an entry that was published once stays in every later version. One that left the file is `retired`: it keeps its last
definition for whoever names it, and takes nothing new.
"""

from typing import Annotated

from pydantic import BaseModel, StringConstraints

from services.contracts.base import Day, EventData, Field, Id, Slug
from services.contracts.paths import ServiceKind

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$"), Field(examples=["it"])]

# A text, because the format `time` of JSON Schema asks for an offset, which a weekly time does not have.
LocalTime = Annotated[
    str, StringConstraints(pattern=r"^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$"), Field(examples=["18:30:00"])
]


class PublishedEntry(BaseModel):
    """The fields of every entry. `renamed`: the entry that stands for it now, because one was merged into the other."""

    id: Slug
    retired: bool = False
    renamed: Slug | None = None


class PublishedPartner(PublishedEntry):
    """A partner, its roles, and the kinds of entries of its feed (None: it has none)."""

    name: str
    roles: tuple[Slug, ...]
    feed: tuple[str, ...] | None = None


class PublishedSlot(PublishedEntry):
    """A weekly time, local."""

    weekday: Slug
    at: LocalTime


class PublishedMunicipality(PublishedEntry):
    """A municipality and its place on the map, in degrees."""

    name: str
    lat: float
    lon: float


class PublishedWave(BaseModel):
    """A survey wave. `since`: the day on which it was added to a programme that had begun. `after_end`: meant to be due after the end."""

    wave: Annotated[str, StringConstraints(pattern=r"^T[0-9]$"), Field(examples=["T1"])]
    instrument: Slug
    due_days: int
    retired: bool = False
    since: Day | None = None
    after_end: bool = False


class PublishedNotice(BaseModel):
    """One version of the privacy notice, and the languages in which it can be read."""

    version: Id
    languages: tuple[Language, ...]


class PublishedSizes(BaseModel):
    """Members of a group when it is formed."""

    min: int
    max: int


class PublishedContact(BaseModel):
    """The office that people ask: a desk, never a person."""

    name: str
    phone: str | None = None
    email: str | None = None


class PublishedIntake(BaseModel):
    """The first and the last day of admissions."""

    opens: Day
    closes: Day


class PublishedRetention(BaseModel):
    """Months for which the data of a person are kept after the referral, the refusal, the leaving, and the end of the programme."""

    undecided: int | None = None
    declined: int | None = None
    left: int | None = None
    ended: int | None = None


class PublishedCatalogueEntry(BaseModel):
    """A territorial service with which the catalogue of the programme begins, in the words of Open Referral HSDS."""

    id: Slug
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


class PublishedComplaintRules(BaseModel):
    """The days within which each complaint is answered."""

    days: int


class PublishedHolidays(BaseModel):
    """Days on which no group meets as a rule: a calendar by the ISO 3166 codes of a country or a part of it, and further days."""

    calendar: (
        Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"), Field(examples=["IT-MB"])] | None
    ) = None
    days: tuple[Day, ...] = ()


class ProgrammePublished(EventData):
    """A programme was published or changed: all of it, in its `version` (1, 2, 3 …). The subject is the programme. Changes act forward."""

    type = "it.amalavoro.programmes.programme.published.v1"
    topic = "ama.programmes"
    version: int = Field(ge=1)
    title: str
    title_en: str
    starts: Day
    ends: Day
    timezone: str
    meetings: int
    cadence_days: int
    session_minutes: int
    road_factor: float
    sizes: PublishedSizes
    intake: PublishedIntake
    notice: PublishedNotice
    notices: tuple[PublishedNotice, ...] = ()
    contact: PublishedContact | None = None
    no_one_alone: tuple[Slug, ...] = ()
    targets: dict[str, int] = Field(default={})
    partners: tuple[PublishedPartner, ...]
    slots: tuple[PublishedSlot, ...]
    municipalities: tuple[PublishedMunicipality, ...]
    surveys: tuple[PublishedWave, ...] = ()
    retention: PublishedRetention | None = None
    # Added after the first events: those lack both fields.
    services: tuple[PublishedCatalogueEntry, ...] = ()
    complaints: PublishedComplaintRules | None = None
    holidays: PublishedHolidays = PublishedHolidays()
