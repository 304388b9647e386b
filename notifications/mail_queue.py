"""The queue of mails: claims on queued messages, and counts of their attempts.

Invariants: a claim stands in the field `mail` beside a message's state, never in the state, and on the clock of the server; the
command that decides a message's outcome replaces the document, and the claim with it. The programmes have their turns, so that the
thousand messages of one keep back no message of another.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from notifications.domain import Message, Status
from services.store.mongo import Document, Store

HELD = timedelta(minutes=2)  # a claimed message is reserved for so long


class Attempts(BaseModel):
    """The counts in the field `mail`: attempts begun, and attempts that the mail server answered with a failure."""

    tries: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this copy may send, for as long as `HELD`. `tries` counts this attempt; `failures` counts earlier ones that the
    mail server answered: a copy that died says nothing about the mail server."""

    programme: str
    message: Message
    tries: int
    failures: int


class MailQueue:
    """Owner of the field `mail` in the collection of messages: `due` is when the message may be claimed next."""

    def __init__(self, store: Store) -> None:
        self._store, self._messages = store, store[Message.noun]
        self._served = ""  # the programme that had its turn last

    async def claim(self, programmes: Collection[str]) -> Claim | None:
        """Claim a message that is due, of the programme whose turn it is, or of the next one that has any."""
        for programme in in_turn(programmes, self._served):
            if (claim := await self._claim_of(programme)) is not None:
                self._served = programme
                return claim
        return None

    async def _claim_of(self, programme: str) -> Claim | None:
        """Claim the message that is due for the longest time: new ones first, then by the end of their delay. By age alone, old messages
        that wait for something would keep back all others."""
        due = {"$lte": [{"$ifNull": ["$mail.due", "$$NOW"]}, "$$NOW"]}
        where = {"programme": programme, "state.status": Status.QUEUED.value, "$expr": due}
        tries = {"$add": [{"$ifNull": ["$mail.tries", 0]}, 1]}
        change = [{"$set": {"mail.due": _in(HELD), "mail.tries": tries}}]
        order = [("mail.due", 1), ("_id", 1)]
        found = await self._messages.find_one_and_update(where, change, sort=order, return_document=True)
        if found is None:
            return None
        attempts = attempts_of(found)
        return Claim(found["programme"], Message.model_validate(found["state"]), attempts.tries, attempts.failures)

    async def postpone(self, claim: Claim, delay: timedelta, *, counted: bool = True) -> None:
        """Make the message due again after the delay. `counted=False`: the attempt never reached the mail server."""
        ours = {
            "_id": f"{claim.programme}/{claim.message.id}",
            "state.status": Status.QUEUED.value,
            "mail.tries": claim.tries,
        }
        tries, failures = (claim.tries, claim.failures + 1) if counted else (claim.tries - 1, claim.failures)
        attempts = Attempts(tries=tries, failures=failures)
        await self._messages.update_one(ours, [{"$set": {"mail": {"due": _in(delay), **attempts.model_dump()}}}])

    async def card_of(self, programme: str, worker: str) -> bytes | None:
        """The encrypted contact card as it stands on the bus; None when there is none, or none any more."""
        _id = f"{programme}/{worker}"
        found = (await self._store.by_id("contacts", [_id])).get(_id)
        return bytes(found["value"]) if found and found["value"] is not None else None


def in_turn(programmes: Collection[str], served: str) -> list[str]:
    """The programmes behind the one that was served last, then the others, it last of all."""
    ordered = sorted(programmes)
    return [*(each for each in ordered if each > served), *(each for each in ordered if each <= served)]


def attempts_of(document: Document) -> Attempts:
    """The attempts of a stored message so far."""
    return Attempts.model_validate(document.get("mail", {}))


def _in(delay: timedelta) -> Document:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": delay // timedelta(milliseconds=1)}}
