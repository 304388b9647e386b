"""Consents that a referrer records after the referral: with the day, the way and the writer; the later decision in the world counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from enrolment import commands as do
from enrolment.domain import Worker
from services.contracts.enrolment import How, Purpose
from services.settings import Settings
from tests.enrolment.participants import CARD
from tests.enrolment.site import Site, fields_of, site, text_of


@pytest_asyncio.fixture
async def here(own: Settings) -> AsyncIterator[Site]:
    async with site(own) as found:
        yield found


async def stored(here: Site, worker: str) -> Worker:
    found = await here.service.store[Worker.noun].find_one({"_id": f"{here.programme}/{worker}"})
    return Worker.model_validate(found["state"])


async def test_a_referrer_records_withdraws_and_cannot_overtake_a_later_decision(here: Site) -> None:
    worker = (await here.do(do.refer, do.Refer(partner=here.partner, card=CARD)))["worker"]
    path, today = f"/segnalazioni/{worker}/consensi", here.service.rules[here.programme].day_of(datetime.now(UTC))
    async with here.referrer() as client, here.referrer(here.stranger) as stranger:
        form = fields_of((await client.get(path)).text)

        async def sent(step: str, **typed: Any) -> Any:
            once = fields_of((await client.get(path)).text)["once"]
            return await client.post(path, data=form | {"once": once, "step": step} | typed)

        empty = await sent("check", how="in-person")
        assert empty.status_code == 422
        assert "Scegli almeno una cosa" in text_of(empty.text)
        said = {"participation": "yes", "contact": "yes", "research": "unsaid", "how": "signed-paper"}
        checked = await sent("check", **said)
        assert "Non è ancora registrato niente" in text_of(checked.text)
        assert (await stored(here, worker)).consents == {}
        done = await client.post(path, data=fields_of(checked.text) | {"step": "done"})
        assert (done.status_code, done.headers["location"]) == (303, f"{path}?fatto=true")
        now = (await stored(here, worker)).consents
        assert now.keys() == {Purpose.PARTICIPATION, Purpose.CONTACT}
        record = now[Purpose.CONTACT]
        assert (record.given, record.how, record.recorded_by) == (True, How.SIGNED_PAPER, "referrer")
        assert record.recorder == "referrer"
        assert (await sent("done", contact="no", how="in-person")).status_code == 303
        withdrawn = (await stored(here, worker)).consents[Purpose.CONTACT]
        assert (withdrawn.given, withdrawn.how) == (False, How.IN_PERSON)
        yesterday = today - timedelta(days=1)
        older = await sent(
            "done", contact="yes", how="signed-paper", on=f"{yesterday.day}/{yesterday.month}/{yesterday.year}"
        )
        assert older.status_code == 422
        assert "Vale già una decisione successiva" in text_of(older.text)
        assert (await stored(here, worker)).consents[Purpose.CONTACT] == withdrawn
        tomorrow = today + timedelta(days=1)
        ahead = await sent(
            "done", contact="yes", how="signed-paper", on=f"{tomorrow.day}/{tomorrow.month}/{tomorrow.year}"
        )
        assert 'href="#on"' in ahead.text
        assert (await sent("done", contact="yes", how="in-person", notice="1999-99")).status_code == 422
        assert (await stranger.get(path)).status_code == 404
        refused = await stranger.post(path, data=form | said | {"step": "done"})
        assert refused.status_code == 404
    assert {each for each, _ in await here.noted(worker)} == {"referrer"}
