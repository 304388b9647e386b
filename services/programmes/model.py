"""The model of a programme.

Invariant: a programme that exists is consistent in itself.

Distances are great circles (haversine, Earth's mean radius 6371.0088 km) times the programme's road factor: rough, and the same for all.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.contracts.base import CODE, Slug

EARTH_KM = 6371.0088
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


class Partner(Part):
    """An organisation of the network. `feed` is its agreement, with the kinds of events that it receives; None: it has no feed."""

    id: Slug
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


class Slot(Part):
    """A weekly time at which groups can meet; `at` is local time."""

    id: Slug
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


class Municipality(Part):
    """A municipality in which people live or places are; coordinates in degrees (WGS 84)."""

    id: Slug
    name: str
    lat: Number = Field(ge=-90, le=90)
    lon: Number = Field(ge=-180, le=180)


class SurveyWave(Part):
    """A survey of everybody who was admitted, also of those who wait, due so many days after the admission."""

    wave: Annotated[str, Field(pattern=r"^T[0-9]$")]
    instrument: Slug
    due_days: Whole = Field(ge=0, le=3650)


class Intake(Part):
    """The period in which people are admitted, both days included."""

    opens: Day
    closes: Day


class Notice(Part):
    """The version of the privacy notice that people read, and its languages."""

    version: Annotated[str, Field(pattern=CODE)]  # it is told in open events
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = Field(default=("it",), min_length=1)


class Programme(Part):
    """One programme, with the fields of its file."""

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
    no_one_alone: tuple[Trait, ...] = ()  # no group has exactly one of a gender, or of an age band
    targets: dict[str, Annotated[Whole, Field(ge=0)]] = {}
    partners: tuple[Partner, ...] = Field(min_length=1)
    slots: tuple[Slot, ...] = Field(min_length=1)
    municipalities: tuple[Municipality, ...] = Field(min_length=1)
    surveys: tuple[SurveyWave, ...] = ()

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
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of its slots."""
        return ZoneInfo(self.timezone)

    def day_of(self, moment: datetime) -> date:
        """The local day of an aware datetime: the day on which it happened for the people of the programme."""
        return moment.astimezone(self.zone).date()

    def notice_of(self, version: str) -> Notice | None:
        """The privacy notice of that version, on which consent can be based; None when there never was one."""
        return self.notice if self.notice.version == version else None

    def partner(self, id: str) -> Partner | None:
        """The partner of that id, if there is one."""
        return next((each for each in self.partners if each.id == id), None)

    @cached_property
    def places_on_the_map(self) -> dict[str, Municipality]:
        """The municipalities of the programme by id."""
        return {each.id: each for each in self.municipalities}


def _inconsistent(where: str, fault: str) -> PydanticCustomError:
    """Build the error for a mistake that no field alone has; `where` is the dotted path at which to mend it."""
    # pydantic gives an error of the whole model no place; `where` carries it to the sentence with the line.
    return PydanticCustomError("inconsistent", "{fault}", {"where": where.split("."), "fault": fault})


def _each_once(part: str, key: str, names: Sequence[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise _inconsistent(f"{part}.{at}.{key}", f"{name} appears twice")


def distance_km(rules: Programme, a: str, b: str) -> float:
    """Return the rough distance in kilometres by road between two municipalities. KeyError for one that is not in the programme."""
    one, other = rules.places_on_the_map[a], rules.places_on_the_map[b]
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half_lat, half_lon = (lat2 - lat1) / 2, radians(other.lon - one.lon) / 2
    chord = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    return round(2 * EARTH_KM * asin(sqrt(chord)) * rules.road_factor, 1)
