"""People who act through the HTTP interfaces of the home: they refer, consent, admit, form groups, meet and answer."""

import mailbox
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from services.embedded.home import Home
from services.programmes.instruments import load_all
from tests.helpers.callers import Caller
from tests.helpers.records import Record
from tests.helpers.waiting import eventually

PROGRAMME, OTHER = "monza-brianza", "jobs2"
THEN = "1991-05-06T14:00:00Z"  # in the intake of OTHER
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}
# To our own questionnaire: 4 of 5 for the better in every sentence, whichever way round it says it.
ANSWERS = {item.id: 2 if item.reversed else 4 for item in load_all()["ama-own"].items}
SCORES = {"wellbeing": 4.0, "resources": 4.0}


def a_monday(weeks: int) -> date:
    """The Monday so many weeks from this one; negative for the past."""
    today = datetime.now().astimezone().date()
    return today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)


def written(home: Home, address: str) -> list[Message]:
    """Messages that arrived at this address."""
    arrived = mailbox.Maildir(home.data / "mail", factory=None, create=False)
    parsed = [message_from_bytes(arrived.get_bytes(key), policy=default) for key in arrived.iterkeys()]
    return [each for each in parsed if address in str(each["To"])]


@dataclass(frozen=True)
class People:
    """Acts of people in one programme, each through the HTTP interface."""

    home: Home
    programme: str = PROGRAMME
    slot: str = "mon-evening"

    def caller(self, role: str, subject: str | None = None, partner: str | None = None) -> Caller:
        return Caller(self.home, role, self.programme, subject, partner)

    async def refer(self, partner: str = "cgil", **card: str) -> str:
        profile = {"municipality": "monza", "slots": [self.slot]}
        body = {"person": {"given_name": "Ada", "family_name": "Filo", **card}, "profile": profile}
        answer = await self.caller("referrer", partner=partner)("POST", "/enrolment/referrals", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["worker"])

    async def consent(self, worker: str, **consents: bool) -> None:
        given = {name.replace("_", "-"): value for name, value in consents.items()}
        notice = self.home.all_services.services["enrolment"].rules[self.programme].notice.version
        answer = await self.caller("worker", worker)(
            "POST", f"/enrolment/workers/{worker}/consents", {"consents": given, "notice": notice}
        )
        assert answer.status_code == 204, answer.text

    async def admit(self, partner: str = "cgil", **card: str) -> str:
        """Refer a worker who consents to everything, and admit them. Gives their id."""
        worker = await self.refer(partner, **card)
        await self.consent(worker, **CONSENTS)
        answer = await self.caller("operator")("POST", f"/enrolment/workers/{worker}/admission")
        assert answer.status_code == 204, answer.text
        return worker

    async def form(self, members: Sequence[str], first: date, name: str) -> str:
        """Form a group of these members, with a place and a facilitator of its own. Gives its id."""
        operator = self.caller("operator")
        place = {"title": f"Casa {name}", "address": "Via Correggio 59", "municipality": "monza"}
        leader = {"municipality": "monza", "slots": [self.slot]}
        assert (await operator("PUT", f"/grouping/places/{name}", place)).status_code == 204
        assert (await operator("PUT", f"/grouping/facilitators/{name}-leader", leader)).status_code == 204
        body = {
            "members": list(members),
            "slot": self.slot,
            "place": name,
            "facilitator": f"{name}-leader",
            "first": str(first),
        }

        async def formed() -> Any:
            answer = await operator("POST", "/grouping/groups", body)
            known = answer.status_code == 201 or answer.json()["code"] in {"no-such-seeker", "not-waiting"}
            assert known, answer.text
            return answer.json().get("group")

        return str(await eventually(formed))

    async def meetings(self, group: str, leader: str) -> list[Record]:
        """Wait for the calendar of 18 sessions, and return it."""
        facilitator = self.caller("facilitator", f"{leader}-leader")

        async def scheduled() -> list[Record]:
            answer = await facilitator("GET", f"/sessions/groups/{group}/sessions")
            return answer.json() if answer.status_code == 200 and len(answer.json()) == 18 else []

        found: list[Record] = await eventually(scheduled)
        return found

    async def call_roll(self, meeting: str, leader: str, present: Sequence[str]) -> None:
        facilitator = self.caller("facilitator", f"{leader}-leader")

        async def called() -> bool:  # a member is on the roster a moment after the meeting is in the calendar
            answer = await facilitator("PUT", f"/sessions/sessions/{meeting}/roll-call", {"present": list(present)})
            assert answer.status_code == 204 or answer.json()["code"] == "not-a-member", answer.text
            return answer.status_code == 204

        await eventually(called)

    async def answer(self, worker: str, answers: Mapping[str, float] = ANSWERS) -> None:
        me = self.caller("worker", worker)

        async def submitted() -> bool:
            answer = await me("PUT", f"/sessions/workers/{worker}/surveys/ama-own/T0", {"answers": dict(answers)})
            assert answer.status_code in {204, 404, 409}, answer.text
            return answer.status_code == 204

        await eventually(submitted)

    async def indicators(self) -> Record:
        answer = await self.caller("operator")("GET", "/analytics/indicators?scores=false")
        assert answer.status_code == 200, answer.text
        found: Record = answer.json()
        return found

    async def indicators_once(self, check: Callable[[Record], Any]) -> Record:
        """Wait until the indicators pass `check`, and return them."""

        async def there() -> Record | None:
            now = await self.indicators()
            return now if check(now) else None

        found: Record = await eventually(there)
        return found


def scored(indicators: Record) -> int:
    """Number of people with a score at T0."""
    first = ("ama-own", "T0")
    return sum(each["scored"] for each in indicators["surveys"] if (each["instrument"], each["wave"]) == first)
