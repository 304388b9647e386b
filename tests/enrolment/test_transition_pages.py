"""Every step of a worker in every status by its route and on its page: the outcomes of the one table.

`merged` is left out: no command of today reaches it.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from enrolment import commands as do
from enrolment.domain import Status
from services.contracts.enrolment import Contacting, Leaving
from services.identity.auth import Role
from services.settings import Settings
from tests.enrolment.operators import consent, refer, stored
from tests.enrolment.site import Site, site, text_of
from tests.enrolment.transitions import TABLE
from tests.helpers.own_programme import in_a_programme_of_its_own

TOMORROW = datetime.now(UTC) + timedelta(days=1)
CASES = [(status, name) for status, name in product(Status, TABLE) if status is not Status.MERGED]
named = pytest.mark.parametrize(("status", "name"), CASES, ids=lambda part: str(part).replace(" ", "-"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(engines: Any, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    bare = Settings(kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"tp{datetime.now(UTC):%H%M%S%f}")
    async with site(in_a_programme_of_its_own(bare, tmp_path_factory.mktemp("programmes"))) as found:
        yield found


async def in_status(place: Site, status: Status) -> str:
    """Somebody who consented to take part and reached this status."""
    worker = await refer(place, "Ada", status.value.title())
    await consent(place, worker)
    steps: dict[Status, tuple[Any, Any]] = {
        Status.CONTACTED: (do.try_contact, do.TryContact(worker=worker, how=Contacting.PHONE, reached=True)),
        Status.BOOKED: (do.book, do.Book(worker=worker, when=TOMORROW)),
        Status.INTERVIEWED: (do.hold, do.Hold(worker=worker)),
        Status.ADMITTED: (do.admit, do.Admit(worker=worker)),
        Status.DECLINED: (do.decline, do.Decline(worker=worker)),
        Status.WITHDRAWN: (do.withdraw, do.Withdraw(worker=worker, reason=Leaving.OTHER)),
        Status.ERASED: (do.erase, do.Erase(worker=worker)),
    }
    if status in steps:
        await place.do(*steps[status])
    return worker


@named
async def test_a_route_leads_to_the_status_of_the_table_or_answers_its_refusal(
    place: Site, status: Status, name: str
) -> None:
    worker, step = await in_status(place, status), TABLE[name]
    method, end = step.route
    body = {**step.more, "when": TOMORROW.isoformat()} if "when" in step.more else dict(step.more)
    desk, json = place.client(Role.OPERATOR, "o"), {"accept": "application/json"}
    answer = await desk.request(method, f"/workers/{worker}/{end}", json=body or None, headers=json)
    outcome = step.outcome(status)
    if isinstance(outcome, Status):
        assert (answer.status_code, (await stored(place, worker)).status) == (204, outcome), answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (410 if outcome == "erased" else 409, outcome)
        assert (await stored(place, worker)).status is status


@named
async def test_a_page_does_the_same_and_leads_to_the_sheet(place: Site, status: Status, name: str) -> None:
    worker, step = await in_status(place, status), TABLE[name]
    typed = (
        {**step.typed, "date": f"{TOMORROW.day}/{TOMORROW.month}/{TOMORROW.year}"}
        if "date" in step.typed
        else step.typed
    )
    address = f"/persone/{worker}/{step.page}"
    answer = await place.client(Role.OPERATOR, "o").post(address, data={**typed, "step": "done"})
    outcome = step.outcome(status)
    if isinstance(outcome, Status):
        assert answer.headers.get("location") == f"/persone/{worker}?fatto={step.page}", text_of(answer.text)
        assert (await stored(place, worker)).status is outcome
    else:
        assert answer.status_code == (410 if status is Status.ERASED else 409), text_of(answer.text)
        assert (await stored(place, worker)).status is status
