"""Dead letters that are real: somebody is admitted, and grouping's own reaction fails for them until it is healed."""

from typing import Any

from services.contracts import Event
from services.contracts.enrolment import WorkerAdmitted
from services.embedded.home import Home
from services.events.inbox import dead_letters
from services.runtime.service import Service
from services.store.work import Work
from tests.helpers.callers import Caller
from tests.helpers.people import THEN
from tests.helpers.waiting import eventually

PROGRAMME = "jobs2"


class Poison:
    """Whom grouping cannot take."""

    def __init__(self, home: Home) -> None:
        self._home, self.people, self._ever = home, set[str](), set[str]()
        self.service: Service = home.all_services.services["grouping"]
        self._handlers = self.service.reactions.handlers[WorkerAdmitted.type]
        self._whole = list(self._handlers)
        self._handlers.insert(0, self._fail)

    async def _fail(self, event: Event[Any], work: Work) -> None:
        if event.subject in self.people:
            raise RuntimeError("nobody by this name")

    async def heal(self) -> None:
        """Everything can be taken again, and is."""
        self._handlers[:] = self._whole
        for each in await dead_letters.listed(self.service.store, "reactions"):
            if each.get("subject") in self._ever:
                await dead_letters.redrive(self.service.store, each["_id"], "the test")

    async def admitted(self) -> str:
        """Somebody who is admitted, and whose admission dies; their id. What follows it waits."""
        operator = Caller(self._home, "operator", PROGRAMME)
        body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}, "at": THEN}
        worker = str((await operator("POST", "/enrolment/referrals", body)).json()["worker"])
        self.people.add(worker)
        self._ever.add(worker)
        given = {"consents": {"participation": True, "research": True}, "notice": "1991-03", "at": THEN}
        assert (await operator("POST", f"/enrolment/workers/{worker}/consents", given)).status_code == 204
        assert (await operator("POST", f"/enrolment/workers/{worker}/admission", {"at": THEN})).status_code == 204
        return worker

    async def died(self, worker: str) -> dict[str, Any]:
        """The dead letter, once it is there."""

        async def there() -> Any:
            return await self.service.store["dead"].find_one({"subject": worker, "consumer": "reactions"})

        return dict(await eventually(there))

    async def closed(self, worker: str, status: str) -> dict[str, Any]:
        """The same, once it is dealt with so."""

        async def there() -> Any:
            return await self.service.store["dead"].find_one(
                {"subject": worker, "consumer": "reactions", "status": status}
            )

        return dict(await eventually(there))
