"""Whoever withdrew a consent since the backup is closed in every gate of a restored system, though Kafka has lost the decision."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import decode
from services.contracts.enrolment import ConsentChanged, Purpose
from services.contracts.topics import SERVICES
from services.engines import Engines
from services.operations.backup import archive, refusals
from services.operations.backup.manifest import Manifest
from services.operations.backup.registers import Registers, erased_in
from services.operations.backup.sources import MANIFEST
from services.settings import Settings
from services.store import restored
from services.store.consents import Consents, Decision
from services.vault import BackupKeys
from tests.operations.backup.conftest import (
    contents,
    databases,
    elsewhere,
    gate_of,
    key_of,
    living,
    of_its_own,
    opened,
    put,
    take,
    with_other_topics,
)

WITHDRAWN = (Purpose.CONTACT, Purpose.RESEARCH)
OTHERS = tuple(each for each in Purpose if each is not Purpose.PARTICIPATION)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass
class Past:
    """A backup of before, and a register and another backup of after somebody withdrew. `lost`: the backup, of a Kafka that is lost."""

    settings: Settings
    backup: Path
    lost: Path
    register: Path
    newer: Path
    withdrew: str
    stays: str

    def known(self, file: Path) -> Registers:
        return erased_in([opened(self.settings, file)])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def past(engines: Engines, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Past]:
    folder = tmp_path_factory.mktemp("past")
    settings = of_its_own(engines, keys, folder)
    async with living(settings) as town:
        two = [await town.world.refer() for _ in range(2)]
        for each in two:
            await town.world.consent(each)
            await town.world.admit(each)
        await town.rests()
        backup = await take(settings, folder / "backup.age")
        await town.world.consent(two[0], False, *WITHDRAWN)
        await town.rests()
        register = await take(settings, folder / "register.age", register=True)
        newer = await take(settings, folder / "newer.age")
    lost = with_other_topics(settings, backup, folder / "lost.age")
    yield Past(settings, backup, lost, register, newer, *two)


def test_a_register_holds_ids_purposes_and_times_alone(past: Past) -> None:
    found = contents(past.settings, past.register)
    assert {name for some in found.values() for name in some} <= {"consents", "erased"}
    documents = [each for some in found.values() for each in some["consents"]]
    assert len(documents) == 2 * len(SERVICES)
    assert {name for each in documents for name in each} <= {"_id", "programme", "decisions", "guard"}
    fields = {name for each in documents for decision in each["decisions"] for name in decision}
    assert fields <= {"purpose", "given", "at", "sequence", "event", "unread"}
    told = past.known(past.register).refusals
    assert {person: {each.purpose for each in some} for person, some in told.items()} == {
        f"{past.settings.only}/{past.withdrew}": set(WITHDRAWN)
    }


async def answers(settings: Settings, person: str) -> dict[str, dict[Purpose, bool | None]]:
    """The answers of each service's gate about this person."""
    gates = {service: await gate_of(settings, person, service) for service in SERVICES}
    return {service: {each: gate.allow(each) for each in Purpose} for service, gate in gates.items()}


@pytest.mark.parametrize("file", ["register", pytest.param("newer", marks=pytest.mark.long)])
async def test_what_a_register_or_a_newer_backup_knows_as_refused_is_closed_in_every_gate(
    past: Past, file: str
) -> None:
    again = elsewhere(past.settings)
    told = await put(again, past.lost, registers=past.known(getattr(past, file)))
    assert told.refused_since == len(WITHDRAWN)
    assert any("WHO DECIDED ON A CONSENT AFTER" in line for line in told.lines())
    closed = {each: each not in WITHDRAWN for each in Purpose}
    assert await answers(again, past.withdrew) == dict.fromkeys(SERVICES, closed)
    assert await answers(again, past.stays) == dict.fromkeys(SERVICES, dict.fromkeys(Purpose, True))
    async with databases(again) as stores:
        noted = {name: (await _state(store)).refusals for name, store in stores.items()}
    assert [each["person"] for each in noted.pop("enrolment")] == [f"{past.settings.only}/{past.withdrew}"]
    assert set(map(len, noted.values())) == {0}


@pytest.mark.parametrize("named", ["nothing", pytest.param("a register of before refusals", marks=pytest.mark.long)])
async def test_when_nothing_tells_who_withdrew_since_all_but_participation_is_closed_and_the_report_says_so(
    past: Past, tmp_path: Path, named: str
) -> None:
    again = elsewhere(past.settings)
    if named == "nothing":
        told = await put(again, past.lost, erasures_unknown=True)
    else:
        told = await put(again, past.lost, registers=past.known(without_consents(past, tmp_path / "old.age")))
    assert (told.all_refused, told.refused_since) == (True, 0)
    assert any("every purpose but participation counts as refused" in line for line in told.lines())
    closed = {each: each is Purpose.PARTICIPATION for each in Purpose}
    for person in (past.withdrew, past.stays):
        assert await answers(again, person) == dict.fromkeys(SERVICES, closed)
    async with databases(again, ["enrolment"]) as stores:
        assert (await _state(stores["enrolment"])).closed is not None


def without_consents(past: Past, into: Path) -> Path:
    """The register as an older version wrote it."""
    keys = BackupKeys.load(key_of(past.settings))
    pieces = {name: each for name, each in archive.read(past.register, keys) if "/consents/" not in name}
    manifest = Manifest.read(pieces[MANIFEST], "the register")
    for part in manifest.parts.values():
        del part.collections["consents"]
    archive.write(into, keys, (pieces | {MANIFEST: manifest.model_dump_json().encode()}).items())
    return into


async def test_while_kafka_has_the_decisions_nothing_is_closed_for_want_of_a_register(past: Past) -> None:
    again = elsewhere(past.settings)
    told = await put(again, past.backup)
    assert (told.all_refused, told.notes) == (False, [])
    assert await answers(again, past.stays) == dict.fromkeys(SERVICES, dict.fromkeys(Purpose, True))


@pytest.mark.parametrize("kind", ["of a register", "of everything"])
async def test_enrolment_publishes_the_refusals_that_a_restore_noted_once(
    engines: Engines, keys: Path, tmp_path: Path, kind: str
) -> None:
    settings = of_its_own(engines, keys, tmp_path)
    async with living(settings, ["enrolment"]) as town:
        person = await town.world.refer()
        await town.world.consent(person)
        await town.world.admit(person)
        later = await town.world.refer()
    at = datetime.now(UTC)
    refused = {f"{settings.only}/{person}": frozenset({Decision(Purpose.CONTACT, False, at, 9)})}
    note = restored.note_refusals(refused, None) if kind == "of a register" else restored.note_refusals({}, at)
    async with databases(settings, ["enrolment"]) as stores:
        store = stores["enrolment"]
        mark = {"$setOnInsert": {"whole": True}}
        await store[restored.RestoreState.collection].update_one({"_id": restored.STATE}, mark, upsert=True)
        await store.write(restored.RestoreState.collection, [note])
        for _ in range(2):
            async with living(settings, ["enrolment"], roles=()):
                pass
        events = [
            decode(each["value"])
            async for each in store["outbox"].find({"key": person, "topic": ConsentChanged.topic}).sort("_id", 1)
        ]
        published = [each for each in events if each.type == ConsentChanged.type and each.data["given"] is False]
        purposes = {Purpose.CONTACT} if kind == "of a register" else set(OTHERS)
        assert sorted(each.data["purpose"] for each in published) == sorted(purposes)
        worker = (await store.by_id("worker", [f"{settings.only}/{person}"]))[f"{settings.only}/{person}"]["state"]
        assert {each for each, consent in worker["consents"].items() if not consent["given"]} == purposes
        cards = store["outbox"].find({"key": person, "topic": "ama.enrolment.contacts"}).sort("sequence", -1)
        assert (await cards.to_list(1))[0]["value"] is None
        assert await store["outbox"].count_documents({"key": later, "topic": ConsentChanged.topic}) == 1, "the referral"
        state = await _state(store)
        assert (state.refusals, state.closed) == ([], None)


async def _state(store: Any) -> restored.RestoreState:
    return restored.RestoreState.of(await store[restored.RestoreState.collection].find_one())


DECISIONS = st.lists(
    st.builds(
        Decision,
        st.sampled_from(Purpose),
        st.booleans(),
        st.integers(0, 9).map(lambda hour: AT + timedelta(hours=hour)),
        st.integers(1, 30),
        st.sampled_from("abc"),
    ),
    max_size=8,
)


def knowing(*decisions: Decision) -> Consents:
    return Consents("p/w", "p", tuple(each.document() for each in decisions))


@given(DECISIONS, DECISIONS)
def test_a_register_closes_and_never_opens(backup: list[Decision], lost: list[Decision]) -> None:
    before, register = knowing(*backup), knowing(*backup, *lost)
    told = refusals.since({"p/w": register.refusals()}, {"p/w": before.refusals()}, ())
    after = knowing(*backup, *told.get("p/w", ()))
    for purpose in Purpose:
        for each in told.get("p/w", ()):
            assert after.to_tell(purpose, each.at) is not True or each.purpose not in (purpose, Purpose.PARTICIPATION)
        if before.allow(purpose) is not True:
            assert after.allow(purpose) is not True
        if register.allow(purpose) is False and not any(each.given for each in lost):
            assert after.allow(purpose) is False


@given(DECISIONS)
def test_what_is_closed_is_closed_for_every_purpose_but_participation_until_a_later_decision(
    decisions: list[Decision],
) -> None:
    moment = AT + timedelta(days=1)
    closed = knowing(*decisions, *knowing(*decisions).closed(moment))
    for purpose in OTHERS:
        assert closed.allow(purpose) is not True
        again = knowing(*decisions, *knowing(*decisions).closed(moment), *given_later(purpose, moment))
        assert again.allow(purpose) is True
    assert closed.allow(Purpose.PARTICIPATION) == knowing(*decisions).allow(Purpose.PARTICIPATION)


def given_later(purpose: Purpose, moment: datetime) -> list[Decision]:
    """Given after that moment, by events that take sequences which lost ones had."""
    both = enumerate((Purpose.PARTICIPATION, purpose))
    return [Decision(each, True, moment + timedelta(hours=1), 31 + n, f"new{n}") for n, each in both]


def test_new_events_at_the_sequences_of_lost_ones_are_no_intruders() -> None:
    lost = knowing(Decision(Purpose.CONTACT, False, AT, 5, "lost")).refusals()
    again = knowing(
        Decision(Purpose.PARTICIPATION, True, AT, 1, "a"),
        *lost,
        Decision(Purpose.CONTACT, True, AT + timedelta(days=1), 5, "new"),
    )
    assert again.allow(Purpose.CONTACT) is True
