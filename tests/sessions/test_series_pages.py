"""An operator moves, cancels and adds meetings on the pages and by the routes of the real service; members and facilitator see it."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from services.identity.auth import Role
from tests.helpers.page_reading import form_in, heading_of, text_of
from tests.helpers.waiting import eventually
from tests.sessions.rolls import ITALIAN, Group, facilitator, group, operator

__all__ = ["group"]  # a fixture


async def rows_of(group: Group) -> dict[int, dict[str, Any]]:
    found = group.world.sessions.read_models.rows("meetings", {"group": group.id})
    return {row["number"]: row async for row in found}


async def starts_of(group: Group, number: int) -> datetime:
    (meeting,) = await group.world.stored("session", id=group.sessions[number - 1])
    return datetime.fromisoformat(meeting["starts"])


def typed(moment: datetime, place: str = "casa") -> dict[str, str]:
    return {"day": f"{moment.day}/{moment.month}/{moment.year}", "hour": f"{moment:%H:%M}", "place": place}


async def walked(client: httpx.AsyncClient, path: str, answers: dict[str, str]) -> httpx.Response:
    """The form filled in, what it means looked at, and confirmed."""
    page = await client.get(path)
    checked = await client.post(path, data={**form_in(page), **answers, "step": "check"})
    assert checked.status_code == 200, text_of(checked)
    return await client.post(path, data={**form_in(checked), "step": "done"})


async def test_a_meeting_is_moved_after_its_meaning_was_shown_and_everybody_sees_the_new_date(group: Group) -> None:
    before = await starts_of(group, 3)
    to = (before + timedelta(days=1)).replace(hour=20, minute=15)
    path = f"/incontri/{group.sessions[2]}/sposta"
    async with operator(group) as client:
        page = await client.get(path)
        assert heading_of(page) == "Spostare l'incontro"
        assert form_in(page)["hour"] == "18:30"
        checked = await client.post(path, data={**form_in(page), **typed(to), "step": "check"})
        assert heading_of(checked) == "Controllare la nuova data"
        assert "In questo giorno 3 persone hanno un posto nel gruppo" in text_of(checked)
        assert "Non è il giorno abituale del gruppo" in text_of(checked)
        (untouched,) = await group.world.stored("session", id=group.sessions[2])
        assert datetime.fromisoformat(untouched["starts"]) == before, "looking changes nothing"
        done = await client.post(path, data={**form_in(checked), "step": "done"})
        assert (done.status_code, done.headers["location"]) == (303, f"/incontri?gruppo={group.id}&fatto=spostato")

        async def shown() -> bool:
            page = await client.get(done.headers["location"])
            return "ore 20:15" in text_of(page) and "spostato" in text_of(page)

        await eventually(shown)
        again = await client.post(path, data={**form_in(checked), "step": "done"})
        assert again.status_code == 303, "the same form sent twice moves once"
    assert len(await group.world.published("session.moved")) == 1
    async with facilitator(group) as client:
        assert "ore 20:15" in text_of(await client.get("/gruppo"))
        assert "ore 20:15" in text_of(await client.get(group.roll(3)))
    async with group.world.client(Role.WORKER, group.members[0]) as client:
        client.headers.update(ITALIAN)
        assert "ore 20:15" in text_of(await client.get("/frammenti/mio-calendario"))


async def test_a_day_that_is_taken_is_refused_at_the_field_with_days_that_are_free(group: Group) -> None:
    path = f"/incontri/{group.sessions[2]}/sposta"
    async with operator(group) as client:
        page = await client.get(path)
        taken = typed(await starts_of(group, 4))
        refused = await client.post(path, data={**form_in(page), **taken, "step": "check"})
        assert refused.status_code == 409
        assert "In questo giorno il gruppo ha già un incontro" in text_of(refused)
        assert 'href="#day"' in refused.text
        assert form_in(refused)["day"] == taken["day"], "what was typed stays"
        free = text_of(refused).partition("Giorni liberi")[2]
        assert "ore 18:30" in free.partition("In che giorno?")[0]
        empty = await client.post(path, data={**form_in(page), "day": "", "step": "check"})
        assert (empty.status_code, "<title>Errore:" in empty.text) == (422, True)


async def test_a_facilitator_does_not_lead_two_groups_at_one_time(group: Group) -> None:
    world = group.world
    other = await world.seat(*[await world.admitted() for _ in range(2)], facilitator="f2")

    async def known() -> bool:
        return len(await world.stored("session", group=other)) == 18

    await eventually(known)
    # As if the two had slots of their own, and the same facilitator.
    await world.sessions.store["roster"].update_one(
        {"_id": f"{world.programme}/{other}"}, {"$set": {"state.facilitator": "f", "state.led": []}}
    )
    taken = typed(await starts_of(group, 4))
    async with operator(group) as client:
        off = await client.post(f"/sessions/{group.sessions[3]}/cancellation", json={"reason": "agreed"})
        assert off.status_code == 204
        body = {"starts": (await starts_of(group, 4)).isoformat(), "place": "casa"}
        busy = await client.put(f"/sessions/{group.sessions[2]}/date", json=body)
        assert (busy.status_code, busy.json()["code"]) == (409, "facilitator-busy")
        path = f"/incontri/{group.sessions[2]}/sposta"
        refused = await client.post(path, data={**form_in(await client.get(path)), **taken, "step": "check"})
        assert refused.status_code == 409
        assert "A quest'ora chi facilita è con un altro gruppo" in text_of(refused)


async def test_a_meeting_is_cancelled_with_a_reason_and_called_no_more(group: Group) -> None:
    path = f"/incontri/{group.sessions[2]}/annulla"
    async with operator(group) as client:
        page = await client.get(path)
        missing = await client.post(path, data=form_in(page))
        assert missing.status_code == 422
        done = await client.post(path, data={**form_in(page), "reason": "no-place"})
        assert done.status_code == 303

        async def shown() -> bool:
            return "annullato: il luogo non è disponibile" in text_of(await client.get(done.headers["location"]))

        await eventually(shown)
        again = await client.get(path)
        assert "Questo incontro è stato annullato" in text_of(again)
        assert "Prossimi incontri (15)" in text_of(await client.get("/incontri"))
    async with facilitator(group) as client:
        assert "L'incontro è stato annullato" in text_of(await client.get(group.roll(3)))
    async with group.world.client(Role.WORKER, group.members[0]) as client:
        client.headers.update(ITALIAN)
        assert "annullato: questo incontro non si tiene" in text_of(await client.get("/frammenti/mio-calendario"))


async def test_a_meeting_is_added_in_place_of_one_that_was_cancelled_and_the_group_keeps_its_room_for_it(
    group: Group,
) -> None:
    world, new = group.world, f"/incontri/gruppi/{group.id}/nuovo"
    last = await starts_of(group, 18)
    async with operator(group) as client:
        full = await client.get(new)
        assert "Il gruppo ha già tutti gli incontri previsti" in text_of(full)
        refused = await client.post(
            f"/groups/{group.id}/sessions", json={"starts": (last + timedelta(days=14)).isoformat(), "place": "casa"}
        )
        assert (refused.status_code, refused.json()["code"]) == (409, "no-meetings-left")
        off = await client.post(f"/sessions/{group.sessions[2]}/cancellation", json={"reason": "no-facilitator"})
        assert off.status_code == 204
        page = await client.get(new)
        assert form_in(page)["hour"] == "18:30"
        done = await walked(client, new, {})
        assert done.headers["location"] == f"/incontri?gruppo={group.id}&fatto=aggiunto"

        async def there() -> bool:
            return 19 in await rows_of(group)

        await eventually(there)
        added = (await rows_of(group))[19]
        assert (added["starts"] - last).days in {14, 13}
    rules = world.grouping.rules[world.programme]

    async def kept() -> bool:
        stored = await world.grouping.store["group"].find_one({"_id": f"{world.programme}/{group.id}"})
        return stored is not None and stored["state"]["extended"] == rules.day_of(added["starts"]).isoformat()

    await eventually(kept)


async def test_who_changes_what_somebody_else_has_changed_meanwhile_is_told(group: Group) -> None:
    path = f"/incontri/{group.sessions[2]}/sposta"
    to = await starts_of(group, 3) + timedelta(days=1)
    async with operator(group) as client:
        page = await client.get(path)
        first = await walked(client, path, typed(to))
        assert first.status_code == 303
        stale = await client.post(path, data={**form_in(page), **typed(to + timedelta(days=1)), "step": "done"})
        assert stale.status_code == 412
        assert "Un'altra persona ha modificato questo incontro" in text_of(stale)


async def test_only_operators_change_the_series_and_unknown_ids_and_places_are_not_found(group: Group) -> None:
    session, body = group.sessions[2], {"starts": "2030-01-10T18:30:00+01:00", "place": "casa"}
    async with facilitator(group) as client:
        for path in (
            f"/incontri/{session}/sposta",
            f"/incontri/{session}/annulla",
            f"/incontri/gruppi/{group.id}/nuovo",
        ):
            assert (await client.get(path)).status_code == 403
        assert (await client.put(f"/sessions/{session}/date", json=body)).status_code == 403
    async with operator(group) as client:
        for path in ("/incontri/none/sposta", "/incontri/none/annulla", "/incontri/gruppi/none/nuovo"):
            assert (await client.get(path)).status_code == 404
        for answer in (
            await client.put("/sessions/none/date", json=body),
            await client.post("/sessions/none/cancellation", json={"reason": "other"}),
            await client.post("/groups/none/sessions", json=body),
        ):
            assert answer.status_code == 404, answer.text
        nowhere = await client.put(f"/sessions/{session}/date", json={**body, "place": "nowhere"})
        assert (nowhere.status_code, nowhere.json()["code"]) == (422, "no-such-place")
        assert (await client.post(f"/sessions/{session}/cancellation", json={"reason": "bored"})).status_code == 422
