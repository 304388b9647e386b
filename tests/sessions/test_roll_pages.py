"""A facilitator calls the roll on a page of the real service: by code where no name is to be had, corrected, and never lost."""

from datetime import UTC, datetime

import httpx

from grouping.membership import commands as seats
from services.contracts.grouping import Ending
from services.identity.auth import Role
from services.kernel import code_of
from tests.helpers.page_reading import choices_in, form_in, heading_of, text_of
from tests.helpers.waiting import eventually
from tests.sessions.rolls import ITALIAN, Group, facilitator, group, operator

__all__ = ["group"]  # a fixture


def marks(group: Group, present: int) -> dict[str, str]:
    """So many members present, the others absent."""
    return {f"m.{who}": "presente" if at < present else "assente" for at, who in enumerate(group.members)}


async def test_my_groups_say_what_is_missing_and_what_comes_next_in_words(group: Group) -> None:
    async with facilitator(group) as client:
        page = await client.get("/gruppo")
    assert (page.status_code, heading_of(page)) == (200, "I miei gruppi")
    shown = text_of(page)
    assert "il giovedì, ore 18:30 · Casa, Monza" in shown
    assert "Le presenze di 2 incontri sono da segnare" in shown
    assert "Prossimo incontro:" in shown
    assert "(incontro 3 di 18)" in shown
    assert "via Correggio 59" in shown
    assert all(each not in shown for each in ("thu-evening", group.id))
    assert f'href="{group.roll()}"' in page.text


async def test_the_roll_is_called_by_code_when_no_name_is_to_be_had_and_says_when_it_was_saved(group: Group) -> None:
    async with facilitator(group) as client:
        page = await client.get(group.roll())
        assert "I nomi in questo momento non sono disponibili" in text_of(page)
        assert choices_in(page) == {f"m.{who}": ["presente", "assente"] for who in group.members}
        assert all(code_of(who) in text_of(page) for who in group.members)
        assert "0 di 3 segnati" in text_of(page)
        sent = await client.post(group.roll(), data={**form_in(page), **marks(group, 2)})
        assert sent.status_code == 303
        saved = await client.get(sent.headers["location"])
    assert "Presenze salvate" in text_of(saved)
    assert "3 di 3 segnati" in text_of(saved)
    assert form_in(saved) | marks(group, 2) == form_in(saved)
    (meeting,) = await group.world.stored("session", id=group.sessions[0])
    assert meeting["roll"] == {who: at < 2 for at, who in enumerate(group.members)}


async def test_a_roll_with_somebody_unmarked_is_not_saved_and_keeps_every_mark(group: Group) -> None:
    async with facilitator(group) as client:
        page = await client.get(group.roll())
        some = dict(list(marks(group, 1).items())[:2])
        wrong = await client.post(group.roll(), data={**form_in(page), **some})
    assert wrong.status_code == 422
    assert "<title>Errore:" in wrong.text
    unmarked = group.members[2]
    assert f"Segnare presente o assente: {code_of(unmarked)}" in text_of(wrong)
    assert f'href="#m.{unmarked}"' in wrong.text
    assert "2 di 3 segnati" in text_of(wrong)
    assert form_in(wrong) | some == form_in(wrong)
    (meeting,) = await group.world.stored("session", id=group.sessions[0])
    assert not meeting["held"]


async def test_a_stale_roll_is_refused_with_both_states_and_saving_again_counts(group: Group) -> None:
    async with facilitator(group) as client:
        stale = form_in(await client.get(group.roll()))
        await client.post(group.roll(), data={**stale, **marks(group, 3)})
        again = await client.post(group.roll(), data={**stale, **marks(group, 3)})
        assert again.status_code == 303, "the same form sent twice is one roll-call"
        refused = await client.post(group.roll(), data={**stale, **marks(group, 2)})
        assert refused.status_code == 412
        shown = text_of(refused)
        assert "qualcun altro ha salvato presenze diverse" in shown
        assert f"{code_of(group.members[2])} assente presente" in shown, "what was marked here, and what is saved now"
        assert form_in(refused) | marks(group, 2) == form_in(refused), "nothing that was marked is lost"
        saved = await client.post(group.roll(), data=form_in(refused))
    assert saved.status_code == 303
    (meeting,) = await group.world.stored("session", id=group.sessions[0])
    assert sum(meeting["roll"].values()) == 2


async def test_before_the_meeting_begins_the_page_says_who_is_expected_and_takes_no_roll(group: Group) -> None:
    async with facilitator(group) as client:
        page = await client.get(group.roll(3))
        refused = await client.post(group.roll(3), data={"seen": "1", **marks(group, 3)})
    assert "Sono attese 3 persone" in text_of(page)
    assert choices_in(page) == {}
    assert refused.status_code == 409
    assert "Le presenze si segnano dall'inizio dell'incontro" in text_of(refused)


async def test_whoever_does_not_lead_the_group_any_more_finds_nothing_of_it(group: Group) -> None:
    async with facilitator(group, "another") as client:
        mine = await client.get("/gruppo")
        answers = [await client.get(group.roll()), await client.post(group.roll(), data=marks(group, 3))]
        of_the_operator = await client.get("/incontri")
    assert "Nessun gruppo è assegnato" in text_of(mine)
    assert [each.status_code for each in answers] == [404, 404]
    assert of_the_operator.status_code == 403


async def test_an_operator_sees_the_missing_rolls_first_and_calls_one(group: Group) -> None:
    async with operator(group) as client:
        page = await client.get("/incontri")
        assert "Presenze da segnare (2)" in text_of(page)
        assert "il giovedì, ore 18:30" in text_of(page)
        address = f"/incontri/{group.sessions[0]}"
        assert f'href="{address}"' in page.text
        form = form_in(await client.get(address))
        assert (await client.post(address, data={**form, **marks(group, 1)})).status_code == 303

        async def one_is_left() -> bool:
            return "Presenze da segnare (1)" in text_of(await client.get("/incontri"))

        await eventually(one_is_left)
        past = await client.get("/incontri?vista=passati")
        assert "1 presenti su 3" in text_of(past)
        of_one = await client.get(f"/incontri?gruppo={group.id}")
        assert "incontro 18 di 18" in text_of(of_one)
        assert (await client.get("/incontri?gruppo=no-such")).status_code == 404
        assert (await client.get("/incontri?vista=strana")).status_code == 422


async def test_the_meetings_after_the_end_of_a_group_are_in_no_list(group: Group) -> None:
    end = seats.Conclude(group=group.id, reason=Ending.TOO_FEW)
    await group.world.grouping.do(seats.conclude, end, group.world.programme)

    async with operator(group) as client:

        async def cancelled() -> bool:
            return "Prossimi incontri (0)" in text_of(await client.get("/incontri"))

        await eventually(cancelled)
        assert "Presenze da segnare (2)" in text_of(await client.get("/incontri"))
        assert "incontro 3 di" not in text_of(await client.get(f"/incontri?gruppo={group.id}"))
    async with facilitator(group) as client:
        assert "Il gruppo non si incontra più" in text_of(await client.get("/gruppo"))
    assert len(await group.world.published("session.cancelled")) == 16


async def test_a_worker_sees_their_own_coming_meetings_and_nobody_elses(group: Group) -> None:
    async with group.world.client(Role.WORKER, group.members[0]) as client:
        client.headers.update(ITALIAN)
        calendar = await client.get("/frammenti/mio-calendario")
        surveys = await client.get("/frammenti/miei-questionari")
    assert "(incontro 3 di 18)" in text_of(calendar)
    assert "via Correggio 59" in text_of(calendar)
    assert "(incontro 2 di 18)" not in text_of(calendar)
    assert "non ci sono questionari" in text_of(surveys), "this person has not consented to research"
    async with group.world.client(Role.WORKER, "somebody-else") as client:
        client.headers.update(ITALIAN)
        assert "Non hai incontri" in text_of(await client.get("/frammenti/mio-calendario"))
    async with operator(group) as client:
        assert (await client.get("/frammenti/mio-calendario")).status_code == 403


async def test_other_pages_get_the_missing_rolls_and_the_next_meeting_of_a_group(group: Group) -> None:
    async with operator(group) as client:
        today = await client.get("/frammenti/oggi")
        coming = await client.get(f"/frammenti/prossimo?group={group.id}")
        data = (await client.get(f"/groups/next-meetings?groups={group.id},unknown")).json()
    assert "Presenze da segnare (2)" in text_of(today)
    assert f'href="/incontri/{group.sessions[0]}"' in today.text
    assert "0 incontri svolti su 18, 2 incontri con le presenze da segnare" in text_of(coming)
    assert data[group.id]["session"] == group.sessions[2]
    assert list(data) == [group.id]


async def test_who_is_replaced_keeps_the_group_until_then_and_who_comes_prepares(group: Group) -> None:
    """The roll of a meeting that was before the change is called by whoever led it then, until the day of the change."""
    world = group.world
    third = (await world.stored("session", id=group.sessions[2]))[0]["starts"]
    change = datetime.fromisoformat(str(third)).date()
    await world.facilitator("g")
    await world.grouping.do(
        seats.entrust, seats.Entrust(group=group.id, facilitator="g", since=change), world.programme
    )

    async def assigned() -> bool:
        rows = [row async for row in world.sessions.read_models.rows("leaders", {"group": group.id})]
        return len(rows) == 2 and bool((await world.stored("roster", id=group.id))[0]["led"])

    await eventually(assigned)
    pages: dict[str, httpx.Response] = {}
    seen: dict[tuple[str, int], int] = {}
    numbers: dict[str, list[int]] = {}
    for who in ("f", "g"):
        async with facilitator(group, who) as client:
            pages[who] = await client.get("/gruppo")
            seen |= {(who, number): (await client.get(group.roll(number))).status_code for number in (1, 3)}
            numbers[who] = [each["number"] for each in (await client.get(f"/groups/{group.id}/sessions")).json()]
    assert "il gruppo passa a un'altra persona" in text_of(pages["f"])
    assert "Da quel giorno faciliti questo gruppo" in text_of(pages["g"])
    assert seen == {("f", 1): 200, ("f", 3): 404, ("g", 1): 404, ("g", 3): 200}
    assert numbers == {"f": [1, 2], "g": list(range(3, 19))}
    assert group.roll(3) not in pages["f"].text
    assert group.roll(1) not in pages["g"].text


async def test_who_is_replaced_today_sees_nothing_more_of_the_group(group: Group) -> None:
    world = group.world
    today = world.sessions.rules[world.programme].day_of(datetime.now(UTC))
    await world.facilitator("g")
    await world.grouping.do(seats.entrust, seats.Entrust(group=group.id, facilitator="g", since=today), world.programme)

    async def replaced() -> bool:
        async with facilitator(group, "f") as old:
            return group.id not in (await old.get("/gruppo")).text and (await old.get(group.roll())).status_code == 404

    await eventually(replaced)
    async with facilitator(group, "f") as old:
        assert "Nessun gruppo" in text_of(await old.get("/gruppo"))
        assert (await old.get(f"/groups/{group.id}/sessions")).status_code == 404
        for number in (1, 3):
            sent = await old.post(group.roll(number), data={"seen": "1", **marks(group, 3)})
            assert sent.status_code == 404, "also what was on the screen is not taken any more"
