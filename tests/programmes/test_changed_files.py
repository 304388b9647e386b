"""A programme's file changes while people live in it: nothing breaks, what left keeps its meaning, changes act forward."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.engines import Engines
from services.settings import Misconfigured
from tests.helpers.waiting import eventually
from tests.programmes.living import Living, a_day, living


@pytest.fixture
def own(tmp_path: Path, keys: Path, engines: Engines) -> Callable[..., Living]:
    """Make a programme of the test's own."""
    return lambda **given: living(tmp_path, keys, engines, **given)


async def test_people_of_a_municipality_that_leaves_are_placed_as_before(own: Callable[..., Living]) -> None:
    prova = own()
    prova.put("before")
    async with prova.up() as people:
        for municipality in ("valle-mosso", "trivero", "biella"):
            await people.admit(await people.refer(municipality))
        await people.rooms("valle-mosso")
        before = await people.propose()
        assert [len(each["members"]) for each in before["groups"]] == [3]
    prova.put("merged-municipality")
    async with prova.up() as people:
        after = await people.propose()
        assert [sorted(each["members"]) for each in after["groups"]] == [sorted(before["groups"][0]["members"])]
        status, refused = await people.answer(
            "operator", "POST", "/enrolment/referrals", _of("trivero", people.partner)
        )
        assert (status, refused["code"]) == (409, "municipality-retired")
        status, refused = await people.answer("operator", "PUT", "/grouping/places/altra", _place("trivero"))
        assert (status, refused["code"]) == (409, "municipality-retired")
        # A correction of what was there stays possible.
        await people.done("operator", "PUT", "/grouping/places/casa", _place("valle-mosso"))


async def test_the_people_of_a_renamed_municipality_are_those_of_the_new_one(own: Callable[..., Living]) -> None:
    prova = own()
    prova.put("before")
    async with prova.up() as people:
        for municipality in ("valle-mosso", "biella"):
            await people.admit(await people.refer(municipality))
        await people.rooms()
    renamed = ("[sizes]", '[renamed]\nvalle-mosso = "valdilana"\ntrivero = "valdilana"\n\n[sizes]')
    prova.put("merged-municipality", renamed)
    async with prova.up() as people:
        await people.admit(await people.refer("valdilana"))
        proposed = await people.propose()
        assert [len(each["members"]) for each in proposed["groups"]] == [3]
        rules = people.home.all_services.services["grouping"].rules[people.programme]
        assert rules.municipality_id("trivero") == rules.municipality_id("valle-mosso") == "valdilana"
        # Whoever names the old one is treated as one of the new.
        await people.refer("trivero")


def _of(municipality: str, partner: str) -> dict[str, Any]:
    profile = {"municipality": municipality, "slots": ["tue-evening"]}
    return {"partner": partner, "person": {"given_name": "Ada", "family_name": "Prova"}, "profile": profile}


def _place(municipality: str) -> dict[str, Any]:
    return {"title": "Altra", "address": "via Prova 2", "municipality": municipality, "rooms": 2}


async def test_a_message_about_a_slot_that_left_is_sent_and_no_new_group_meets_there(
    own: Callable[..., Living],
) -> None:
    # Nobody listens there, so the message waits for its next try.
    prova = own(smtp="smtp://127.0.0.1:9")
    prova.put("before")
    async with prova.up() as people:
        workers = [await people.admit(await people.refer()) for _ in range(3)]
        await people.rooms(slots=("thu-evening", "tue-evening"))
        group = await people.form(*workers[:2], first=a_day(4))
        scheduled = await people.calendar(group)
        messages = people.home.all_services.services["notifications"].store

        async def queued() -> bool:
            found = messages["message"].find({"programme": people.programme, "mail.tries": {"$gte": 1}})
            return len(await found.to_list(10)) == 2

        await eventually(queued, 60)
    prova.given.clear()
    prova.put("slot-removed", ("cadence_days = 14", "cadence_days = 7"))
    async with prova.up() as people:
        await messages_due_now(people.home, people.programme)
        notifications = people.home.all_services.services["notifications"]

        async def sent() -> bool:
            found = await people.done("operator", "GET", "/notifications/messages?status=sent")
            return len(found) == 2

        await eventually(sent, 60)
        assert notifications.tasks.ended is not None
        assert not notifications.tasks.ended.done()
        body = {"members": workers[2:], "slot": "thu-evening", "place": "casa", "facilitator": "anna"}
        body["first"] = str(a_day(4))
        assert await people.calendar(group) == scheduled  # another cadence is for groups that are formed from now on
        status, refused = await people.answer("operator", "POST", "/grouping/groups", body)
        assert (status, refused["code"]) == (409, "slot-retired")
        assert (await people.propose())["groups"] == []


async def messages_due_now(home: Any, programme: str) -> None:
    """Let no message wait for its next try."""
    store = home.all_services.services["notifications"].store
    past = datetime.now(UTC) - timedelta(minutes=1)
    await store["message"].update_many({"programme": programme}, {"$set": {"mail.due": past}})


async def test_a_wave_that_is_added_is_planned_for_whoever_is_due_later_and_nobody_else(
    own: Callable[..., Living],
) -> None:
    prova = own()
    prova.put("before")
    async with prova.up() as people:
        long_ago = datetime.now(UTC) - timedelta(days=30)
        late = await people.admit(await people.refer(at=long_ago), at=long_ago + timedelta(hours=1))
        fresh = await people.admit(await people.refer())
        assert {each["wave"] for each in await people.surveys(fresh)} == {"T0"}
    prova.put("merged-municipality")
    async with prova.up() as people:

        async def planned() -> bool:
            return ("T1", "who5") in {(each["wave"], each["instrument"]) for each in await people.surveys(fresh)}

        await eventually(planned, 120)
        due = {each["due"] for each in await people.surveys(fresh) if each["wave"] == "T1"}
        rules = people.home.all_services.services["sessions"].rules[people.programme]
        assert due == {str(rules.day_of(datetime.now(UTC)) + timedelta(days=10))}
        assert {each["wave"] for each in await people.surveys(late)} == {"T0"}
        # Who comes now is asked in every wave.
        new = await people.admit(await people.refer("valdilana"))
        assert {each["wave"] for each in await people.surveys(new)} == {"T0", "T1"}


async def test_a_second_meaning_of_an_id_refuses_the_start_with_one_sentence(own: Callable[..., Living]) -> None:
    prova = own()
    prova.put("before")
    async with prova.up() as people:
        await people.refer()
    prova.put("before", ('weekday = "thursday"\nat = 18:30:00', 'weekday = "friday"\nat = 18:30:00'))
    with pytest.raises(Misconfigured, match=r"prova\.toml, line \d+: slots\.1\.id: thu-evening was thursday at 18:30"):
        async with prova.up():
            pytest.fail("it started")
    prova.put("before")
    async with prova.up() as people:
        assert people.programme in people.home.all_services.services["analytics"].rules


async def test_a_file_that_an_administrator_has_replaced_is_left_alone_at_the_start(
    own: Callable[..., Living], caplog: pytest.LogCaptureFixture
) -> None:
    prova = own()
    prova.put("before")
    another = ('id = "thu-evening"', 'id = "thu-late"')
    renamed = ("[sizes]", '[renamed]\nthu-evening = "thu-late"\n\n[sizes]')
    async with prova.up() as people:
        await people.refer()
        body = {"name": "prova.toml", "text": prova.text("before", another, renamed)}
        assert await people.done("administrator", "PUT", "/enrolment/programme", body) == {
            "version": 2,
            "changed": True,
        }
    # The folder holds the older file: as it was, with a comment more, and with a change that conflicts with what is published.
    for changes in ([], [("[sizes]", "# a comment\n[sizes]")], [("cadence_days = 14", "cadence_days = 7")]):
        caplog.clear()
        prova.put("before", *changes)
        async with prova.up() as people:
            found = await people.done("administrator", "GET", "/enrolment/programme")
        assert found["version"] == 2
        reasons = [each for each in caplog.records if "left alone" in each.getMessage()]
        assert len(reasons) == 1, changes
        metrics = people.home.all_services.services["enrolment"].metrics.registry
        labels = {"service": "enrolment", "programme": people.programme}
        assert metrics.get_sample_value("ama_programme_file_used", labels) == 0
    # A file that goes on from the published version is applied.
    prova.put("before", another, ("cadence_days = 14", "cadence_days = 7"))
    async with prova.up() as people:
        found = await people.done("administrator", "GET", "/enrolment/programme")
    assert (found["version"], found["cadence_days"]) == (3, 7)


async def test_what_no_engine_holds_is_refused_by_the_route_with_a_sentence(own: Callable[..., Living]) -> None:
    prova = own()
    prova.put("before")
    wrong = [
        ("[sizes]", f"[targets]\nmembers = {10**23}\n\n[sizes]"),
        ("[sizes]", '[targets]\n"$where" = 1\n\n[sizes]'),
        ('name = "Biella"', 'name = "Bie\\u0000lla"'),
        ("at = 18:30:00\n", "at = 18:30:00.5\n"),
        ("ends = 2027-12-31", "ends = 9999-12-31"),
    ]
    async with prova.up() as people:
        for was, becomes in wrong:
            body = {"name": "prova.toml", "text": prova.text("before", (was, becomes))}
            status, answer = await people.answer("administrator", "PUT", "/enrolment/programme", body)
            assert (status, answer["code"]) == (422, "wrong-programme-file"), becomes
