"""The model of a programme.

Invariant: a programme that exists is consistent in itself.

The module has over 300 lines: entries and programme refer to each other's ids, and their rules are judged together.

Distances are great circles (haversine, Earth's mean radius 6371.0088 km) times the programme's road factor: rough, and the same for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from holidays import country_holidays, list_supported_countries
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.contracts.base import CODE, Slug
from services.contracts.paths import ServiceKind

EARTH_KM = 6371.0088
COMPLAINT_DAYS = 30  # Law 241 of 1990, article 2
Whole = Annotated[int, Field(strict=True)]  # strict: TOML has types for numbers and dates, so "5" and true are mistakes
Number = Annotated[float, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Part(BaseModel):
    """A part of a programme. Unknown keys are refused: a misspelt setting would otherwise be silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PartnerRole(StrEnum):
    """A role of a partner in the programme; one partner may have several."""

    FUNDER = "funder"
    CO_FUNDER = "co-funder"
    LEAD = "lead"
    PARTNER = "partner"
    REFERRER = "referrer"
    RECEIVER = "receiver"


class FeedEntry(StrEnum):
    """A kind of event about its own referrals that an agreement lets a partner receive."""

    REFERRED = "worker.referred"
    ADMITTED = "worker.admitted"
    DECLINED = "worker.declined"
    SEATED = "worker.seated"
    WITHDREW = "worker.withdrew"


class Entry(Part):
    """An entry that others name by its id. `retired`: it left the file, keeps its last definition for whoever names it, and takes nothing
    new. `renamed`: the entry that stands for it now. No file says either: a change of the file does (`changes`)."""

    id: Slug
    retired: bool = False
    renamed: Slug | None = None


E = TypeVar("E", bound=Entry)


class Partner(Entry):
    """An organisation of the network. `feed` is its agreement, with the kinds of events that it receives; None: it has no feed."""

    name: str
    roles: tuple[PartnerRole, ...] = Field(min_length=1)
    feed: tuple[FeedEntry, ...] | None = None

    @property
    def may_refer(self) -> bool:
        """True for a referrer, and for the lead, which takes the requests of people who come by themselves."""
        return bool({PartnerRole.REFERRER, PartnerRole.LEAD} & set(self.roles))


class Trait(StrEnum):
    """A trait of people in which a member can be the only one of their kind in a group."""

    GENDER = "gender"
    AGE = "age"


class Sizes(Part):
    """Members of a group when it is formed."""

    min: Whole = Field(ge=2, le=100)
    max: Whole = Field(ge=2, le=100)


class Slot(Entry):
    """A weekly time at which groups can meet; `at` is local time."""

    weekday: str
    at: Annotated[time, Field(strict=True)]

    @field_validator("weekday")
    @classmethod
    def _is_a_day(cls, value: str) -> str:
        if value not in WEEKDAYS:
            raise ValueError(f"not one of {', '.join(WEEKDAYS)}")
        return value

    @property
    def isoweekday(self) -> int:
        """The number of the weekday, Monday 1 to Sunday 7."""
        return WEEKDAYS.index(self.weekday) + 1


class Municipality(Entry):
    """A municipality in which people live or places are; coordinates in degrees (WGS 84)."""

    name: str
    lat: Number = Field(ge=-90, le=90)
    lon: Number = Field(ge=-180, le=180)


class SurveyWave(Part):
    """A survey of everybody who was admitted, also of those who wait, due so many days after the admission.

    Wave and instrument together are its id. `after_end`: it is meant to be due after the programme's end. `since`: the day on which it
    was added while people lived in the programme; whoever's due date was past by then is not asked.
    """

    wave: Annotated[str, Field(pattern=r"^T[0-9]$")]
    instrument: Slug
    due_days: Whole = Field(ge=0, le=3650)
    after_end: bool = False
    retired: bool = False
    since: Day | None = None

    @property
    def id(self) -> str:
        """The wave with its instrument, as `T1/who5`."""
        return f"{self.wave}/{self.instrument}"

    def asks(self, admitted: date) -> bool:
        """True for a person admitted on that day, unless their due date was past when the wave was added."""
        return self.since is None or admitted + timedelta(days=self.due_days) >= self.since


class Intake(Part):
    """The period in which people are admitted, both days included."""

    opens: Day
    closes: Day


class Notice(Part):
    """A version of the privacy notice that people read, and its languages."""

    version: Annotated[str, Field(pattern=CODE)]  # it is told in open events
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = Field(default=("it",), min_length=1)


class Contact(Part):
    """The office that people ask, as messages to them name it."""

    name: str
    phone: str | None = None
    email: str | None = None


class Retention(Part):
    """Months for which the data of a person are kept, each counted from another day. None: no limit of this kind. `undecided`: from the
    referral of somebody who was neither admitted nor declined; `declined`; `left`: from the withdrawal; `ended`: from the end of the
    programme, for everybody."""

    undecided: Annotated[Whole, Field(ge=1, le=240)] | None = None
    declined: Annotated[Whole, Field(ge=1, le=240)] | None = None
    left: Annotated[Whole, Field(ge=1, le=240)] | None = None
    ended: Annotated[Whole, Field(ge=1, le=240)] | None = None


class CatalogueEntry(Part):
    """A territorial service with which the catalogue begins; afterwards the catalogue's own pages change it. The names of the fields are
    those of Open Referral HSDS. `valid_to`: the last day on which the notes on eligibility hold."""

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


class Holidays(Part):
    """Days on which no group meets as a rule. `calendar`: the public holidays of a country or of a part of it, by ISO 3166 codes; `IT-MB`
    has the patron saint of Monza as well. `days`: further ones."""

    calendar: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")] | None = None
    days: tuple[Day, ...] = ()

    @field_validator("calendar")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        country = value[:2]
        parts = list_supported_countries().get(country)
        if parts is None or value not in {country, *(f"{country}-{each}" for each in parts)}:
            raise ValueError("no calendar of that name: such as IT, or IT-MB")
        return value

    @cached_property
    def _public(self) -> Mapping[date, str]:
        if self.calendar is None:
            return {}
        country, _, part = self.calendar.partition("-")
        return country_holidays(country, subdiv=part or None)  # a year is computed when it is first asked for

    def __contains__(self, day: date) -> bool:
        """True for a public holiday, or one of the further days."""
        return day in self.days or day in self._public


class ComplaintRules(Part):
    """Rules of complaints: the days within which each is answered."""

    days: Whole = Field(ge=1, le=365)


@dataclass(frozen=True, slots=True)
class Active:
    """The entries of a programme that take something new."""

    partners: tuple[Partner, ...]
    slots: tuple[Slot, ...]
    municipalities: tuple[Municipality, ...]
    surveys: tuple[SurveyWave, ...]


class Programme(Part):
    """One programme: the fields of its file, and the retired entries of its earlier files.

    `partners`, `slots`, `municipalities` and `surveys` hold every entry there ever was; what begins anew takes one of `active`. The
    look-ups by id follow `renamed`. `notices`: earlier versions of the notice.
    """

    id: Slug
    title: str
    title_en: str
    starts: Day
    ends: Day
    timezone: str
    meetings: Whole = Field(ge=1, le=200)
    cadence_days: Whole = Field(ge=1, le=60)
    session_minutes: Whole = Field(ge=15, le=480)
    road_factor: Number = Field(default=1.3, ge=1, le=3)
    sizes: Sizes
    intake: Intake
    notice: Notice
    notices: tuple[Notice, ...] = ()
    contact: Contact | None = None  # in messages to people; without it they name the lead partner
    no_one_alone: tuple[Trait, ...] = ()  # no group has exactly one of a gender, or of an age band
    targets: dict[str, Annotated[Whole, Field(ge=0)]] = {}
    partners: tuple[Partner, ...] = Field(min_length=1)
    slots: tuple[Slot, ...] = Field(min_length=1)
    municipalities: tuple[Municipality, ...] = Field(min_length=1)
    surveys: tuple[SurveyWave, ...] = ()
    retention: Retention | None = None  # without it nobody is erased because of time
    services: tuple[CatalogueEntry, ...] = ()
    complaints: ComplaintRules | None = None
    holidays: Holidays = Holidays()
    renamed: dict[Slug, Slug] = {}  # in a file: from an entry that left it to the one that stands for it

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            # ZoneInfo raises any of these: for a path, for a folder of zones, and for an unknown name.
            raise ValueError("no time zone of that name") from error
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.ends < self.starts:
            raise _inconsistent("ends", "before it starts")
        if self.intake.closes < self.intake.opens:
            raise _inconsistent("intake.closes", "before it opens")
        if self.sizes.max < self.sizes.min:
            raise _inconsistent("sizes.max", "smaller than min")
        for at, trait in enumerate(self.no_one_alone):
            if trait in self.no_one_alone[:at]:
                raise _inconsistent(f"no_one_alone.{at}", f"{trait} appears twice")
        _each_once("partners", "id", [each.id for each in self.partners])
        _each_once("slots", "id", [each.id for each in self.slots])
        _each_once("municipalities", "id", [each.id for each in self.municipalities])
        _each_once("surveys", "wave", [f"{each.instrument} in {each.wave}" for each in self.surveys])
        _each_once("services", "id", [each.id for each in self.services])
        _each_once("notices", "version", [each.version for each in (*self.notices, self.notice)])
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of its slots."""
        return ZoneInfo(self.timezone)

    def day_of(self, moment: datetime) -> date:
        """The local day of an aware datetime: the day on which it happened for the people of the programme."""
        return moment.astimezone(self.zone).date()

    def is_holiday(self, day: date) -> bool:
        """True for a day on which no group meets as a rule."""
        return day in self.holidays

    def local(self, moment: datetime) -> datetime:
        """The same moment with the offset of the programme's zone."""
        return moment.astimezone(self.zone)

    @cached_property
    def active(self) -> Active:
        """The entries that are not retired."""
        return Active(
            partners=tuple(each for each in self.partners if not each.retired),
            slots=tuple(each for each in self.slots if not each.retired),
            municipalities=tuple(each for each in self.municipalities if not each.retired),
            surveys=tuple(each for each in self.surveys if not each.retired),
        )

    def partner(self, id: str) -> Partner | None:
        """The partner of that id, retired or not; None when there never was one."""
        return _resolved({each.id: each for each in self.partners}, id)

    def slot(self, id: str) -> Slot | None:
        """The slot of that id, or the one that stands for it now; None when there never was one."""
        return _resolved({each.id: each for each in self.slots}, id)

    def slot_id(self, id: str) -> str:
        """The id of the slot that stands for this one now; the id itself when there never was such a slot."""
        found = self.slot(id)
        return found.id if found is not None else id

    def municipality_id(self, id: str) -> str:
        """The id of the municipality that stands for this one now; the id itself when there never was such a municipality."""
        found = self.municipality(id)
        return found.id if found is not None else id

    def municipality(self, id: str) -> Municipality | None:
        """The municipality of that id, or the one that stands for it now; None when there never was one."""
        return _resolved(self.places_on_the_map, id)

    def notice_of(self, version: str) -> Notice | None:
        """The version of the notice that is or was in force; None when it never was."""
        return next((each for each in (self.notice, *self.notices) if each.version == version), None)

    @property
    def office(self) -> Contact | None:
        """The office that people ask: the contact of the file, else the lead partner; None when there is neither."""
        leads = (each.name for each in self.active.partners if PartnerRole.LEAD in each.roles)
        return self.contact or next((Contact(name=name) for name in leads), None)

    @property
    def complaint_days(self) -> int:
        """Days within which a complaint is answered: those of the file, else 30, as public offices in Italy have by default."""
        return self.complaints.days if self.complaints is not None else COMPLAINT_DAYS

    @cached_property
    def places_on_the_map(self) -> dict[str, Municipality]:
        """The municipalities by id, retired ones too."""
        return {each.id: each for each in self.municipalities}


def _resolved(entries: Mapping[str, E], id: str) -> E | None:
    """The entry, or the one at the end of its renamings. A circle cannot be: only an entry that left the file is renamed, for good."""
    found = entries.get(id)
    while found is not None and found.renamed is not None:
        found = entries.get(found.renamed)
    return found


def _inconsistent(where: str, fault: str) -> PydanticCustomError:
    """Build the error for a mistake that no field alone has; `where` is the dotted path at which to mend it."""
    # pydantic gives an error of the whole model no place; `where` carries it to the sentence with the line.
    return PydanticCustomError("inconsistent", "{fault}", {"where": where.split("."), "fault": fault})


def _each_once(part: str, key: str, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise _inconsistent(f"{part}.{at}.{key}", f"{name} appears twice")


def distance_km(rules: Programme, a: str, b: str) -> float:
    """Return the rough distance in kilometres by road between two municipalities. KeyError for one that never was in the programme."""
    one, other = rules.municipality(a), rules.municipality(b)
    if one is None or other is None:
        raise KeyError(a if one is None else b)
    return round(great_circle_km(one, other) * rules.road_factor, 1)


def great_circle_km(one: Municipality, other: Municipality) -> float:
    """Return the distance in kilometres as the crow flies."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half_lat, half_lon = (lat2 - lat1) / 2, radians(other.lon - one.lon) / 2
    chord = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))
