"""People in enrolment for tests of pages: referred, with consents, admitted; and the tokens of their links."""

from typing import Any

import orjson

from enrolment import commands as do
from services import vault
from services.contracts.enrolment import LinkPurpose, PersonalLinkIssued, Purpose, WorkerProfiled
from tests.enrolment.site import Site

CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}
PROFILE = WorkerProfiled(municipality="monza", travel_km=15, slots=("thu-evening",), gender="f", birth_year=1971)
GIVEN = {Purpose.PARTICIPATION: True, Purpose.CONTACT: True}


async def somebody(here: Site, given: dict[Purpose, bool] = GIVEN, *, admitted: bool = True, **card: str) -> str:
    """Refer somebody with these consents, and admit them."""
    command = do.Refer(partner=here.partner, card=CARD | card, profile=PROFILE)
    worker: str = (await here.do(do.refer, command))["worker"]
    notice = here.service.rules[here.programme].notice.version
    if given:
        await here.do(do.decide_consent, do.DecideConsent(worker=worker, given=given, notice=notice))
    if admitted:
        await here.do(do.admit, do.Admit(worker=worker))
    return worker


async def token_of(here: Site, worker: str, purpose: LinkPurpose) -> str:
    """The token of the newest link of this purpose, as notifications reads it: from the encrypted event."""
    where = {"programme": here.programme, "key": worker, "topic": PersonalLinkIssued.topic}
    rows = [each async for each in here.service.store["outbox"].find(where).sort("sequence", -1)]

    async def opened(work: Any) -> list[dict[str, Any]]:
        key = await work.key(worker)
        events = [orjson.loads(row["value"]) for row in rows]
        issued = [each for each in events if each["type"] == PersonalLinkIssued.type]
        return [orjson.loads(vault.decrypt_payload(key, each["data"])) for each in issued]

    found = await here.service.commanding.query(opened, here.service.rules[here.programme])
    return str(next(each["token"] for each in found if each["purpose"] == purpose))


async def refer(here: Site, number: int, partner: str | None = None) -> list[str]:
    """Refer so many people, by name `Ada 0`, `Ada 1` …; their ids."""
    card = {"family_name": "Prova", "language": "it"}
    commands = [
        do.Refer(partner=partner or here.partner, card={"given_name": f"Ada {n}", **card}) for n in range(number)
    ]
    return [(await here.do(do.refer, each))["worker"] for each in commands]
