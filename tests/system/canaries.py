"""Canaries: people whose data is easy to find wherever it was copied, and readings of everything that may hold it."""

import base64
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import orjson
import pytest
import pytest_asyncio
from pymongo import MongoClient
from stdnum.it import codicefiscale

from enrolment.api import Card, Profile
from services import vault
from services.contracts.topics import SERVICES, TOPICS
from services.embedded.home import Home
from services.programmes.instruments import load_all
from services.store.people import StoredKey
from tests.helpers.people import PROGRAMME, People, a_monday, written
from tests.helpers.records import is_event, records, settled
from tests.helpers.waiting import eventually

RESTRICTED = [name for name in TOPICS if name.endswith(".restricted")]
ANSWERS = {each.id: 1 + number % 5 for number, each in enumerate(load_all()["ama-own"].items)}


FEW = "it has few values, which many people share: finding one proves nothing"


def _digits(mark: str) -> str:
    return str(int(mark, 16)).zfill(13)[-12:]


def _capitals(mark: str) -> str:
    return "".join(chr(ord("A") + int(each, 16)) for each in mark)


def _fiscal_code(mark: str) -> str:
    begin = f"{_capitals(mark)[:6]}80A01F205"
    return begin + codicefiscale.calc_check_digit(begin)


# For each field of a card and a profile how a canary fills it in, or why it does not. A field that is in neither table fails a test.
CARD: dict[str, Callable[[str], str]] = {
    "given_name": lambda mark: f"Giuseppina{mark}",
    "family_name": lambda mark: f"Canarini{mark[::-1]}",
    "email": lambda mark: f"canary.{mark}.post@example.org",
    "phone": lambda mark: f"+491{_digits(mark)}",
    "fiscal_code": _fiscal_code,
}
PROFILE: dict[str, Callable[[str], Any]] = {
    "employer": lambda mark: f"azienda-{mark}",
    "travel_km": lambda mark: float(f"17.{_digits(mark)[:9]}1"),
}
NOT_CANARIED = {
    **dict.fromkeys(("language", "not_by", "call_at"), FEW),
    **dict.fromkeys(("municipality", "slots", "gender", "birth_year", "not_before", "among", "needs_access"), FEW),
    **dict.fromkeys(("employment", "sector", "occupation", "months_out", "years_in_job", "education", "heard"), FEW),
}


def disguises(secret: str) -> set[bytes]:
    """The text, its upper and lower case, and its forms inside base64 and hexadecimal."""
    plain = secret.encode()
    found = {plain, plain.lower(), plain.upper(), plain.hex().encode()}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(b"\0" * shift + plain)[4 if shift else 0 : -4])
    return found


def documents(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Every document of every collection of the services and of the site, by database and collection."""
    with MongoClient[dict[str, Any]](home.settings.mongo) as client:
        names = [each for each in client.list_database_names() if each.startswith(home.settings.database)]
        assert len(names) == len(SERVICES) + 1
        return {
            f"{name}.{c}": list(client[name][c].find()) for name in names for c in client[name].list_collection_names()
        }


def fields(value: Any) -> set[str]:
    """Every name of a field in a document, at any depth."""
    if isinstance(value, dict):
        return value.keys() | {name for each in value.values() for name in fields(each)}
    return {name for each in value for name in fields(each)} if isinstance(value, list) else set()


def knowing(home: Home, person: str) -> dict[str, list[dict[str, Any]]]:
    """Documents with the person's id, by service and collection."""
    found = {
        name: [each for each in all_ if person.encode() in bson.encode(each)] for name, all_ in documents(home).items()
    }
    prefix = re.compile(rf"^{home.settings.database}[-_.]?")
    return {prefix.sub("", name): kept for name, kept in found.items() if kept}


@dataclass
class Canary:
    """A person whose every word differs from all others'."""

    people: People
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    worker: str = ""

    def __post_init__(self) -> None:
        self.card = {name: make(self.mark) for name, make in CARD.items() if name in Card.model_fields}
        self.profile = {name: make(self.mark) for name, make in PROFILE.items() if name in Profile.model_fields}
        told = {
            **self.card,
            **self.profile,
            "email": self.card["email"].partition("@")[0],
            "phone": self.card["phone"][4:],
        }
        self.secrets = [str(each) for each in told.values()]

    def in_clear(self, where: Iterable[bytes]) -> list[tuple[str, bytes]]:
        """Secrets that are found there, each with the bytes around it."""
        searched = b"\n".join(where)
        looks = {look: secret for secret in self.secrets for look in disguises(secret)}
        return [
            (secret, searched[max(0, at - 120) : at + 120])
            for look, secret in looks.items()
            if (at := searched.find(look)) >= 0
        ]

    async def live(self) -> None:
        """Refer, consent and admit the person, with refused requests on the way."""
        people, operator = self.people, self.people.caller("operator")
        for wrong in ({"partner": "nobody"}, {"partner": "cgil", "profile": {"municipality": "m", "slots": ["x"]}}):
            answer = await operator(
                "POST", "/enrolment/referrals", {"person": self.card, **wrong}, Idempotency_Key=self.mark
            )
            assert answer.status_code == 422
        bad = {"person": {**self.card, "email": self.card["email"].replace("@", " at ")}, "partner": "cgil"}
        assert (await operator("POST", "/enrolment/referrals", bad)).status_code == 422
        self.worker = await people.admit(**self.card)
        profile = {"municipality": "monza", "slots": [people.slot], **self.profile}
        described = await operator("PUT", f"/enrolment/workers/{self.worker}/profile", profile)
        assert described.status_code == 204, described.text
        shown = await operator("GET", f"/enrolment/workers/{self.worker}")
        assert shown.json()["card"]["family_name"] == self.card["family_name"]


@dataclass
class Scene:
    """Two groups of ten: one has met and holds the canary who will be erased; the other, yet to meet, holds a second canary."""

    people: People
    gone: Canary  # who will be erased
    contacted: Canary  # who gets a message
    others: list[str]
    group: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(home: Home, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    name = request.module.__name__.rpartition("_")[2]  # each module has groups of its own in the one home
    people = People(home, slot="wed-evening")
    gone, contacted = Canary(people), Canary(people)
    await gone.live()
    await contacted.live()
    others = [await people.admit() for _ in range(18)]
    wednesday = timedelta(days=2)
    begun = await people.form([gone.worker, *others[:9]], a_monday(-4) + wednesday, f"{name}-begun")
    await people.form([contacted.worker, *others[9:]], a_monday(4) + wednesday, f"{name}-ahead")
    wished = await people.caller("operator")(
        "PUT", f"/grouping/workers/{gone.worker}/pairs/{contacted.worker}", {"wish": "apart"}
    )
    assert wished.status_code == 204, wished.text
    meetings = await people.meetings(begun, f"{name}-begun")
    for each in [each for each in meetings if datetime.fromisoformat(each["starts"]) < datetime.now(UTC)][:2]:
        await people.call_roll(each["session"], f"{name}-begun", [gone.worker, *others[:5]])
    for worker in (gone.worker, contacted.worker):
        await people.answer(worker, ANSWERS)

    async def arrived() -> Any:
        return written(home, contacted.card["email"])

    await eventually(arrived, 40)
    await settled(home)
    yield Scene(people, gone, contacted, others, begun)


async def payloads(home: Home, person: str) -> list[str]:
    """Every restricted payload about the person on the bus."""
    events = [orjson.loads(each.value) for each in await records(home, *RESTRICTED) if is_event(each)]
    return [each["data"] for each in events if vault.payload_person(each["data"]) == person]


async def keys_held(home: Home, person: str | None = None) -> dict[str, list[tuple[str, bytes]]]:
    """Every key that a service can still open, with its person. The bus is shared with other tests' services; keys of their people
    do not open here.
    """
    held: dict[str, list[tuple[str, bytes]]] = {name: [] for name in home.all_services.services}
    for name, service in home.all_services.services.items():
        kept = await service.store["keys"].find({"_id": f"{PROGRAMME}/{person}"} if person else {}).to_list(None)
        for each in (each for each in kept if each.get("wrapped") or each.get("value")):
            whose = each["_id"].partition("/")[2]
            with suppress(vault.Unopenable):
                held[name].append((whose, service.holder.open(whose, StoredKey.of(each))))
    return held


def opens(key: bytes, payload: str) -> bool:
    try:
        return bool(vault.decrypt_payload(key, payload))
    except vault.Unopenable:
        return False
