"""Every partner's feed holds the entries that are due to it, once, in order, without a gap.

The entries about a person follow from enrolment's events in their order, and from the seat, which comes by another topic and may arrive
at any moment. From some moment on an erased person has no entry but the erasure, since the deletion of their key comes by another topic
too. So several ledgers are right for a person, and the feed must hold one of them. An entry that was withdrawn between writing and
delivery keeps its place, without content.
"""

import hmac
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import OctKey

from tests.system.chaos.oracle.evidence import Finding, Kind
from tests.system.chaos.oracle.reading import FEEDS, Event
from tests.system.chaos.oracle.world import World

ZONE = ZoneInfo("Europe/Rome")
CLOSING = {"consent.withdrawn", "worker.erased"}
TOLD = {
    "worker.referred": "worker.referred", "worker.admitted": "worker.admitted", "worker.declined": "worker.declined",
    "worker.withdrawn": "worker.withdrew", "member.joined": "worker.seated",
}  # fmt: skip


class Fact(NamedTuple):
    """Content of an entry about a person: type, day, and reason."""

    type: str
    on: str
    reason: str | None = None


class Owed(NamedTuple):
    """A fact that is due in a ledger. A withdrawn one may also have gone out as an entry without content."""

    fact: Fact
    withdrawn: bool


def judge(world: World) -> Iterator[Finding]:
    """Check the feed of every partner."""
    secret = OctKey.import_key(json.loads((world.evidence.keys / "pseudonyms.jwk").read_text())).raw_value
    referred = {each.subject: each.data["partner"] for each in world.of("worker.referred")}
    for partner, records in world.feeds.items():
        entries = [json.loads(record.value or b"") for record in records]
        yield from _numbers(partner, [int(each["sequence"]) for each in entries], [each["id"] for each in entries])
        people = sorted(worker for worker, by in referred.items() if by == partner)
        named = {_pseudonym(secret, world.evidence.programme, partner, each): each for each in people}
        yield from _people(world, partner, entries, named)


def _numbers(partner: str, numbers: Sequence[int], ids: Sequence[str]) -> Iterator[Finding]:
    if len(set(numbers)) < len(numbers) or len(set(ids)) < len(ids):
        yield Finding("doubled", f"feed of {partner}: places that are there twice: {_twice(numbers)}")
    elif list(numbers) != list(range(1, len(numbers) + 1)):
        yield Finding("lost", f"feed of {partner}: places out of order or missing: {numbers}")


def _twice(numbers: Sequence[int]) -> list[int]:
    return sorted(each for each, times in Counter(numbers).items() if times > 1)


def _people(world: World, partner: str, entries: Sequence[Any], named: dict[str, str]) -> Iterator[Finding]:
    shown: dict[str, list[Fact]] = defaultdict(list)
    silent = least = most = 0
    for entry in entries:
        type = ".".join(entry["type"].split(".")[3:-1])
        silent += type == "entry.withheld"
        if type != "entry.withheld":
            shown[entry["subject"]].append(Fact(type, entry["data"]["on"], entry["data"].get("reason")))
    for subject in shown.keys() - named.keys():
        yield Finding("other", f"feed of {partner} tells of a stranger {subject}")
    for subject, worker in named.items():
        ways = list(_ways(world, worker, FEEDS[partner]))
        missing = [gap for way in ways if (gap := _withheld(shown[subject], way)) is not None]
        if missing:
            least, most = least + min(missing), most + max(missing)
        else:
            kind: Kind = "doubled" if max(Counter(shown[subject]).values(), default=0) > 1 else "lost"
            yield Finding(kind, f"feed of {partner}, {worker}: {shown[subject]} instead of one of {ways}")
    if not least <= silent <= most:
        yield Finding("other", f"feed of {partner}: {silent} places say nothing instead of {least} to {most}")


def _withheld(shown: Sequence[Fact], way: Sequence[Owed]) -> int | None:
    """Number of these entries that went out without content, if the others are those that were given; None when they are not."""
    rest = list(shown)
    silent = 0
    for owed in way:
        if rest and rest[0] == owed.fact:
            rest.pop(0)
        elif owed.withdrawn:
            silent += 1
        else:
            return None
    return None if rest else silent


def _ways(world: World, worker: str, agreed: frozenset[str]) -> Iterator[list[Owed]]:
    path = world.events["ama.enrolment", worker]
    seats = [each for each in world.of("member.joined") if each.data["worker"] == worker]
    for at in range(len(path) + 1) if seats else (0,):
        for heard in _overtaken([*path[:at], *seats, *path[at:]]):
            if path[-1].type == "worker.erased":
                yield from (_replayed([*heard[:end], path[-1]], agreed) for end in range(len(heard)))
            else:
                yield _replayed(heard, agreed)


def _overtaken(heard: Sequence[Event]) -> Iterator[list[Event]]:
    """The events as they came, and with one refusal before facts that it overtook: consents wait behind nothing."""
    yield [*heard]
    refusals = [n for n, each in enumerate(heard) if each.type == "consent.changed" and not each.data["given"]]
    for refusal in refusals:
        for at in range(refusal):
            between = heard[at : refusal + 1]
            decided = [each for each in between if each.type == "consent.changed"]
            yield [*heard[:at], *decided, *(e for e in between if e not in decided), *heard[refusal + 1 :]]


def _replayed(path: Sequence[Event], agreed: frozenset[str]) -> list[Owed]:
    """One person's part of the ledger, if events arrived in this order."""
    consents: dict[str, bool] = {}
    ledger: list[Owed] = []
    waiting: list[Fact] = []
    steps: set[str] = set()
    for event in path:
        may = _may(consents)
        if event.type == "consent.changed":
            consents[event.data["purpose"]] = event.data["given"]
            if event.data["purpose"] in {"participation", "partner-feedback"} and _may(consents) is False:
                ledger, waiting = _closed(ledger, "consent.withdrawn", event)
        elif event.type == "worker.erased":
            return _closed(ledger, "worker.erased", event)[0]
        elif event.type in TOLD:
            fact = _fact(event)
            unheard = fact.type == "worker.seated" and "worker.withdrawn" in steps
            if may is not False and not unheard:
                waiting.append(fact)
            if event.type == "worker.admitted":  # its entry comes before that of a seat that arrived first
                waiting.sort(key=lambda each: each.type == "worker.seated")
        steps.add(event.type)
        if _may(consents) is not None and "worker.referred" in steps:
            ready = [each for each in waiting if each.type != "worker.seated" or "worker.admitted" in steps]
            waiting = [each for each in waiting if each not in ready]
            ledger = [*ledger, *(Owed(each, withdrawn=False) for each in ready if each.type in agreed)]
    return ledger


def _may(consents: dict[str, bool]) -> bool | None:
    both = {consents.get("participation"), consents.get("partner-feedback")}
    return False if False in both else None if None in both else True


def _closed(ledger: list[Owed], type: str, event: Event) -> tuple[list[Owed], list[Fact]]:
    """Withdraw all facts. A closing fact follows, if the partner was given any."""
    open_ = any(not owed.withdrawn and owed.fact.type not in CLOSING for owed in ledger)
    closed = [owed if owed.fact.type in CLOSING else Owed(owed.fact, withdrawn=True) for owed in ledger]
    return [*closed, *([Owed(Fact(type, _day(event)), withdrawn=False)] if open_ else [])], []


def _fact(event: Event) -> Fact:
    if event.type == "member.joined":
        return Fact("worker.seated", event.data["since"])
    return Fact(TOLD[event.type], _day(event), event.data["reason"] if event.type == "worker.withdrawn" else None)


def _day(event: Event) -> str:
    return str(event.time.astimezone(ZONE).date())


def _pseudonym(secret: bytes, programme: str, partner: str, person: str) -> str:
    """A UUID of version 8 from an HMAC under the partner's key, which is derived by HKDF."""
    parts = [each.encode() for each in ("pseudonyms", programme, partner)]
    info = b"".join(len(each).to_bytes(4, "big") + each for each in parts)
    digest = hmac.digest(HKDF(SHA256(), 32, salt=None, info=info).derive(secret), person.encode(), "sha256")[:16]
    bits = list(f"{int.from_bytes(digest, 'big'):0128b}")
    bits[48:52], bits[64:66] = "1000", "10"
    return str(uuid.UUID(int=int("".join(bits), 2)))
