"""An operator forms, fills and concludes groups on the pages of the real service."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio

from services.identity.auth import Role
from tests.helpers.callers import client_as
from tests.helpers.days import today
from tests.helpers.own_programme import World
from tests.helpers.page_reading import choices_in, form_in, forms_in, heading_of, text_of
from tests.helpers.waiting import eventually

PLACE = {"id": "sala-civica", "title": "Sala civica", "address": "Via Roma 1", "municipality": "monza", "rooms": "2"}
LEADER = {"id": "anna", "municipality": "monza", "travel_km": "30", "slots.thu-evening": "yes", "groups": "2"}


@pytest_asyncio.fixture
async def operator(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with client_as(world.grouping.app, Role.OPERATOR, world.programme) as client:
        client.headers["Accept-Language"] = "it"
        yield client


async def waiting(world: World, number: int) -> list[str]:
    """So many people who wait, all able to come on Thursday evenings."""
    people = [await world.refer() for _ in range(number)]
    for each in people:
        await world.consent(each)
        await world.admit(each)

    async def there() -> bool:
        rows = [row async for row in world.grouping.read_models.rows("waiting", {"programme": world.programme})]
        return {row["worker"] for row in rows if row.get("waits")} >= set(people)

    await eventually(there)
    return people


async def registered(operator: httpx.AsyncClient) -> None:
    """A place and a facilitator, by their forms."""
    for address, answers in (("luoghi", PLACE), ("facilitatori", LEADER)):
        sent = await operator.post(f"/gruppi/{address}/nuovo", data=answers)
        assert sent.status_code == 303, text_of(sent)

    async def listed() -> bool:
        return "Sala civica" in (await operator.get("/gruppi/luoghi")).text

    await eventually(listed)


async def formed(operator: httpx.AsyncClient) -> str:
    """The address of the first group that is proposed, confirmed by the two forms."""
    proposal = await operator.post("/proposte", data={"on": _written(today()), "seed": "0"})
    check = await operator.post("/gruppi/nuovo", data=forms_in(proposal)[-1] | {"step": "check"})
    done = await operator.post("/gruppi/nuovo", data=form_in(check) | {"step": "done"})
    assert done.status_code == 303, text_of(done)
    return str(done.headers["location"]).partition("?")[0]


def _written(day: Any) -> str:
    return f"{day.day}/{day.month}/{day.year}"


async def test_a_place_is_added_and_corrected_and_nothing_that_was_typed_is_lost(operator: httpx.AsyncClient) -> None:
    empty = await operator.post("/gruppi/luoghi/nuovo", data={"title": "Sala civica"})
    assert empty.status_code == 422
    assert form_in(empty)["title"] == "Sala civica"
    assert "Compilare: Indirizzo" in text_of(empty) or "Indirizzo" in text_of(empty)
    await registered(operator)
    taken = await operator.post("/gruppi/luoghi/nuovo", data=PLACE | {"title": "Un'altra sala"})
    assert taken.status_code == 409
    assert "Questo codice è già usato" in text_of(taken)
    assert 'href="#id"' in taken.text
    assert form_in(taken)["title"] == "Un'altra sala"
    seen = form_in(await operator.get("/gruppi/luoghi/sala-civica"))
    assert (seen["title"], seen["rooms"]) == ("Sala civica", "2")
    corrected = seen | {"municipality": "monza", "rooms": "3"}
    assert (await operator.post("/gruppi/luoghi/sala-civica", data=corrected)).status_code == 303
    stale = await operator.post("/gruppi/luoghi/sala-civica", data=corrected | {"rooms": "4", "once": ""})
    assert stale.status_code == 412
    assert "Che cosa è salvato ora" in text_of(stale)
    assert form_in(stale)["rooms"] == "4"
    assert (await operator.get("/gruppi/luoghi/nowhere")).status_code == 404


async def test_a_facilitator_is_registered_by_code_with_the_times_in_words(operator: httpx.AsyncClient) -> None:
    none = await operator.post("/gruppi/facilitatori/nuovo", data={"id": "anna", "travel_km": "30"})
    assert none.status_code == 422
    assert "il giovedì, ore 18:30" in text_of(none)
    await registered(operator)

    async def listed() -> bool:
        shown = text_of(await operator.get("/gruppi/facilitatori"))
        return "anna" in shown and "Monza, fino a 30 km" in shown and "il giovedì, ore 18:30" in shown

    await eventually(listed)
    assert form_in(await operator.get("/gruppi/facilitatori/anna"))["slots.thu-evening"] == "yes"


async def test_a_proposal_is_in_words_and_a_group_is_formed_after_a_look_at_it(
    world: World, operator: httpx.AsyncClient
) -> None:
    people = await waiting(world, 4)
    await registered(operator)
    asked = await operator.get("/proposte")
    assert "dura al massimo 10 secondi" in text_of(asked)
    proposal = await operator.post("/proposte", data=form_in(asked))
    shown = text_of(proposal)
    assert "il giovedì, ore 18:30 · Sala civica, Monza" in shown
    assert "è l'unico luogo a cui tutte possono arrivare" in shown
    assert "nessun altro potrebbe facilitare a quell'ora" in shown
    assert "Tutte le persone che aspettano avrebbero un posto" in shown
    assert all(f"/persone/{each}" in proposal.text for each in people)
    assert "thu-evening" not in shown
    check = await operator.post("/gruppi/nuovo", data=forms_in(proposal)[-1] | {"step": "check"})
    assert heading_of(check) == "Controlla il nuovo gruppo"
    assert not await world.grouping.store["group"].count_documents({}), "a look forms nothing"
    answers = form_in(check) | {"step": "done"}
    done = [await operator.post("/gruppi/nuovo", data=answers) for _ in range(2)]
    assert done[0].headers["location"] == done[1].headers["location"], "sent twice, formed once"
    group = await operator.get(done[0].headers["location"])
    assert heading_of(group) == "Gruppo: il giovedì, ore 18:30"
    assert "4 persone" in text_of(group)
    assert "Gli incontri in questo momento non sono disponibili" in text_of(group), "sessions does not run here"
    late = await operator.post("/gruppi/nuovo", data=answers | {"once": ""})
    assert late.status_code == 409
    assert "Fai una nuova proposta" in text_of(late)

    async def listed() -> bool:
        return "il giovedì, ore 18:30" in text_of(await operator.get("/gruppi"))

    await eventually(listed)


async def test_whoever_waits_gets_a_seat_by_a_form_that_is_checked_and_one_who_cannot_come_is_said_why(
    world: World, operator: httpx.AsyncClient
) -> None:
    await waiting(world, 3)
    await registered(operator)
    group = await formed(operator)
    late, other = await waiting(world, 2)
    await world.withdraw(other)

    async def one_waits() -> bool:
        return late in (await operator.get(f"{group}/entrate")).text

    await eventually(one_waits)
    found = await operator.get(f"{group}/entrate")
    assert f'href="{group}/entrate?persona={late}"' in found.text
    assert f'href="{group}/entrate?persona={other}"' not in found.text
    seats = await operator.get(f"/gruppi/posti/{late}")
    assert f'href="{group}/entrate?persona={late}"' in seats.text
    form = form_in(await operator.get(f"{group}/entrate?persona={late}"))
    wrong = await operator.post(f"{group}/entrate", data=form | {"since": "domani"})
    assert wrong.status_code == 422
    assert form_in(wrong)["since"] == "domani"
    check = await operator.post(f"{group}/entrate", data=form)
    assert heading_of(check) == "Controlla: un posto nel gruppo"
    done = await operator.post(f"{group}/entrate", data=form_in(check) | {"step": "done"})
    assert done.headers["location"] == f"{group}?fatto=entrata"
    assert "4 persone" in text_of(await operator.get(group))
    refused = await operator.post(f"{group}/entrate", data=form | {"worker": other, "step": "done", "once": ""})
    assert refused.status_code == 409
    assert "non aspetta più un posto" in text_of(refused)
    assert (await operator.get(f"/gruppi/posti/{other}")).status_code == 404

    async def known() -> bool:
        return group in (await operator.get(f"/frammenti/posto?worker={late}")).text

    await eventually(known)
    seat = await operator.get(f"/frammenti/posto?worker={late}")
    assert "il giovedì, ore 18:30 · Sala civica, Monza" in text_of(seat)


async def test_a_group_is_concluded_with_a_reason_and_is_said_to_be_below_the_minimum_before(
    world: World, operator: httpx.AsyncClient
) -> None:
    people = await waiting(world, 3)
    await registered(operator)
    group = await formed(operator)
    for each in people[1:]:
        await world.withdraw(each)

    async def small() -> bool:
        return group in (await operator.get("/frammenti/oggi")).text

    await eventually(small)
    today = text_of(await operator.get("/frammenti/oggi"))
    assert "Gruppi sotto il minimo (1)" in today
    assert "1 persona, ne servono almeno 2" in today
    assert "sotto il minimo di 2" in text_of(await operator.get("/gruppi"))
    page = await operator.get(f"{group}/conclusione")
    assert page.text.index("Non concludere, torna al gruppo") < page.text.index('value="done"'), "the safe way first"
    assert "completed" not in choices_in(page)["reason"], "that is told by the calendar"
    unanswered = await operator.post(f"{group}/conclusione", data=form_in(page))
    assert unanswered.status_code == 422
    done = await operator.post(f"{group}/conclusione", data=form_in(page) | {"reason": "too-few"})
    assert done.headers["location"] == f"{group}?fatto=conclusione"
    assert "Il gruppo è concluso" in text_of(await operator.get(done.headers["location"]))
    again = await operator.post(f"{group}/conclusione", data=form_in(page) | {"reason": "other", "once": ""})
    assert again.status_code == 409

    async def listed() -> bool:
        return "sono rimaste troppo poche persone" in text_of(await operator.get("/gruppi?concluse=true"))

    await eventually(listed)
    assert "Gruppi sotto il minimo (0)" in text_of(await operator.get("/frammenti/oggi"))
    assert people[0] in (await operator.get(group)).text, "whose seat ended is still told"


async def test_the_facilitator_is_changed_from_a_day_on_after_a_look_at_what_it_means(
    world: World, operator: httpx.AsyncClient
) -> None:
    await waiting(world, 3)
    await registered(operator)
    group = await formed(operator)
    for id, slot in (("bea", "thu-evening"), ("carla", "mon-evening")):
        sent = await operator.post("/gruppi/facilitatori/nuovo", data={**LEADER, "id": id, f"slots.{slot}": "yes"}
                                   if slot == "thu-evening" else {k: v for k, v in LEADER.items() if not k.startswith("slots")}
                                   | {"id": id, f"slots.{slot}": "yes"})  # fmt: skip
        assert sent.status_code == 303, text_of(sent)

    async def offered() -> bool:
        return choices_in(await operator.get(f"{group}/facilitatore")).get("facilitator") == ["bea"]

    await eventually(offered)
    page = await operator.get(f"{group}/facilitatore")
    assert "carla: non ha libero quell'orario" in text_of(page)
    assert "anna: facilita già questo gruppo" in text_of(page)
    unanswered = await operator.post(f"{group}/facilitatore", data=form_in(page) | {"since": ""})
    assert unanswered.status_code == 422
    past = await operator.post(
        f"{group}/facilitatore", data=form_in(page) | {"facilitator": "bea", "since": "1/1/2024"}
    )
    assert (past.status_code, 'href="#since"' in past.text) == (409, True)
    first = datetime.strptime(form_in(page)["since"], "%d/%m/%Y").date()  # noqa: DTZ007  # a day
    change = _written(first + timedelta(days=28))
    check = await operator.post(f"{group}/facilitatore", data=form_in(page) | {"facilitator": "bea", "since": change})
    shown = text_of(check)
    assert (check.status_code, heading_of(check)) == (200, "Controlla il cambio di chi facilita")
    assert "anna facilita il gruppo fino al giorno prima" in shown
    assert "bea vede il gruppo già da ora" in shown
    assert check.text.index("Non cambiare, torna al gruppo") < check.text.index('value="done"'), "the safe way first"
    done = await operator.post(f"{group}/facilitatore", data=form_in(check) | {"step": "done"})
    assert done.headers["location"] == f"{group}?fatto=facilitatore", text_of(done)
    sheet = text_of(await operator.get(done.headers["location"]))
    assert "Il cambio di chi facilita è registrato" in sheet
    assert "anna dal giorno" in sheet
    again = await operator.post(f"{group}/facilitatore", data=form_in(check) | {"step": "done", "once": ""})
    assert again.status_code == 412, "the group was changed since it was looked at"

    async def told() -> bool:
        return len(await _led(world, "anna")) == len(await _led(world, "bea")) == 1

    await eventually(told)
    assert await _led(world, "carla") == []


async def _led(world: World, facilitator: str) -> list[Any]:
    """The groups that a facilitator sees."""
    async with client_as(world.grouping.app, Role.FACILITATOR, world.programme, facilitator) as client:
        answer = await client.get("/groups")
    found: list[Any] = answer.json()
    return found


async def test_whoever_has_waited_for_long_is_named_today_and_others_may_not_look(
    world: World, operator: httpx.AsyncClient
) -> None:
    (person,) = await waiting(world, 1)
    rows = world.grouping.store["waiting.g1"]
    # Noon: before and after a change of the clocks it is the same local day.
    long_ago = (datetime.now(UTC) - timedelta(days=45)).replace(hour=12)
    await rows.update_one({"worker": person}, {"$set": {"waits": long_ago}})
    today = await operator.get("/frammenti/oggi")
    assert "Persone che aspettano da più di 30 giorni (1)" in text_of(today)
    days = (world.grouping.rules[world.programme].day_of(datetime.now(UTC)) - long_ago.date()).days
    assert f"aspetta un posto da {days} giorni" in text_of(today)
    assert f'href="/gruppi/posti/{person}"' in today.text
    noted = await world.grouping.store["access"].find({"person": person}).to_list(None)
    assert "today" in {each["what"] for each in noted}
    for role in (Role.FACILITATOR, Role.COORDINATOR, Role.WORKER, Role.REFERRER):
        async with client_as(world.grouping.app, role, world.programme, "somebody") as other:
            for address in ("/gruppi", "/proposte", "/gruppi/luoghi", "/frammenti/oggi"):
                assert (await other.get(address)).status_code == 403, (role, address)
