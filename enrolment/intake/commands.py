"""Commands of people who ask by themselves: a link to an address, the form behind it, and the end of a link that nobody used.

Invariants: the answer to a request tells nothing about the address; one link makes one worker.
"""

import secrets
from datetime import datetime

import orjson

from enrolment.commands import DecideConsent, Refer, decide_consent, refer
from enrolment.domain import Asking, Worker
from enrolment.domain.applicants import AGAIN, MOST
from enrolment.facts import Sketch
from services import vault
from services.contracts.base import Id
from services.contracts.enrolment import How, Origin, Purpose
from services.contracts.topics import CONTACTS
from services.kernel import Command, Refusal, Refused, new_id
from services.programmes import Programme, in_intake
from services.store.work import Work

TOKEN = 32  # bytes


class Ask(Command):
    """Somebody wants a link to the form at this address: `email` or `phone`, as the contact card has them."""

    card: dict[str, str]


async def ask(command: Ask, work: Work) -> None:
    """Issue a link, unless one was issued to the address a moment ago, or too many are open: the caller is told the same. Refused:
    out-of-order, outside the intake; no-referrer, when nobody takes requests."""
    in_intake(work.rules, "The request", work.rules.day_of(work.at))
    takes_requests(work.rules)
    address = work.lookup_digest("asking", command.card.get("email") or command.card["phone"])
    before = [each for each in await work.where(Asking, address=address) if each.is_open(work.now)]
    if len(before) >= MOST or any(work.now - each.issued < AGAIN for each in before):
        return
    asking = Asking.begin(new_id(), address, work.now)
    work.add(asking)
    await work.new_key(asking)
    asking.card = {name: await work.seal(asking.id, name, text) for name, text in command.card.items()}
    card = vault.encrypt_payload(await work.key(asking.id), asking.id, orjson.dumps(command.card)).encode()
    work.publish_table(CONTACTS, asking, card)
    asking.issue(secrets.token_urlsafe(TOKEN))


def takes_requests(rules: Programme) -> str:
    """The partner who takes the requests of people who come by themselves: the lead. Refused("no-referrer")."""
    leads = [each.id for each in rules.active.partners if "lead" in each.roles]
    if not leads:
        raise Refused("no-referrer", f"No partner of {rules.id} takes requests.", Refusal.INVALID)
    return leads[0]


class SendForm(Command):
    """The form behind a link. `given`: the purposes to which the person said yes."""

    asking: Id
    card: dict[str, str]
    sketch: Sketch = Sketch()
    given: frozenset[Purpose] = frozenset()
    notice: str
    language: str | None = None


async def send_form(command: SendForm, work: Work) -> dict[str, str]:
    """Refer the person, with the confirmed address whatever the form says, and forget the request. Sent twice, done once. Refused:
    no-such-link, and as `refer` and `decide_consent`."""
    asking = await work.get(Asking, command.asking)
    if asking.worker is not None:
        return {"worker": asking.worker}
    _refuse_unless_open(asking, work.now)
    confirmed = {name: await work.unseal(asking.id, name, text, told=False) for name, text in asking.card.items()}
    card = {**command.card, **{name: text for name, text in confirmed.items() if name in {"email", "phone"}}}
    profile = command.sketch.profiled()
    made = await refer(Refer(partner=takes_requests(work.rules), card=card, profile=profile, origin=Origin.SELF), work)
    if profile is None and command.sketch:
        worker = await work.get(Worker, made["worker"])
        worker.outline(await work.seal(worker.id, "sketch", command.sketch.model_dump_json(exclude_defaults=True)))
    if command.given:
        decision = DecideConsent(
            worker=made["worker"],
            given=dict.fromkeys(command.given, True),
            notice=command.notice,
            language=command.language,
            how=How.BY_LINK,
        )
        await decide_consent(decision, work)
    asking.end(made["worker"])
    await work.destroy_key(asking)
    return made


class EndAsking(Command):
    """The link of a request has ended, and nobody used it."""

    asking: Id


async def end_asking(command: EndAsking, work: Work) -> None:
    """Forget the address. A request that has ended stays as it is, and so does one that is open."""
    asking = await work.get(Asking, command.asking)
    if asking.ended or asking.is_open(work.now):
        return
    asking.end()
    await work.destroy_key(asking)


def _refuse_unless_open(asking: Asking, now: datetime) -> None:
    if not asking.is_open(now):
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
