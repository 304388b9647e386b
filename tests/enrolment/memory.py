"""`Work` without engines, for the handlers of enrolment: aggregates in a dict, readable "sealed" fields, published records in a list."""

from collections.abc import Iterable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from enrolment.domain import Worker
from services import programmes
from services.contracts import Topic
from services.kernel import Refusal, Refused
from services.programmes.model import PartnerRole
from services.store.accesses import Caller
from services.store.work import Work
from tests.enrolment.workers import AT, TRACE, sealed

KEY = bytes(32)


@cache
def _rules() -> programmes.Programme:
    rules = programmes.load_all()["smoke"]
    funder = programmes.Partner(id="cassa", name="A partner that pays", roles=(PartnerRole.FUNDER,))
    return rules.model_copy(update={"partners": (*rules.partners, funder)})


class MemoryWork:
    """The part of `Work` that handlers of enrolment use."""

    def __init__(self, *workers: Worker, card: bytes | None = None) -> None:
        self.workers = {each.id: each for each in workers}
        self.rules = _rules()
        self.programme, self.at, self.now = self.rules.id, AT, AT
        self.cause = SimpleNamespace(traceparent=TRACE)
        self.records: list[tuple[str, str, bytes | None]] = []
        self.destroyed: list[str] = []
        self.accesses: list[tuple[str, str]] = []
        self._purpose = ""
        self.guarded: list[str] = []
        self._card = card
        self.caller: Caller | None = None

    @property
    def as_work(self) -> Work:
        """The same object, as handlers are declared to take it."""
        return cast("Work", self)

    async def find(self, kind: type[Worker], id: str) -> Worker | None:
        self.guarded.append(id)
        return await self.peek(kind, id)

    async def peek(self, _: type[Worker], id: str) -> Worker | None:
        return self.workers.get(id)

    async def peek_all(self, _: type[Worker], ids: Sequence[str]) -> list[Worker]:
        return [self.workers[each] for each in ids if each in self.workers]

    async def open_keys(self, people: Iterable[str]) -> None:
        """Do nothing: every field opens with one key."""

    async def get(self, kind: type[Worker], id: str) -> Worker:
        if (worker := await self.find(kind, id)) is None:
            raise Refused("no-such-worker", id, Refusal.NOT_FOUND)
        return worker

    def add(self, worker: Worker) -> None:
        self.workers[worker.id] = worker

    def follow(self, traceparent: str | None) -> None:
        self.cause = SimpleNamespace(traceparent=traceparent)

    def version(self, _: Worker) -> int:
        return 7

    async def key(self, _: str) -> bytes:
        return KEY

    def fiscal_digest(self, code: str) -> str:
        return f"digest of {code}"

    def lookup_digest(self, use: str, text: str) -> str:
        return f"{use} of {text}"

    async def where(self, kind: type[Any], **fields: Any) -> list[Any]:
        """Those with these values; a list means any of its values. Nothing but workers is kept here."""

        def fits(worker: Worker) -> bool:
            return all(
                bool(_values(getattr(worker, name)) & set(value if isinstance(value, list) else [value]))
                for name, value in fields.items()
            )

        return [each for each in self.workers.values() if fits(each)] if kind is Worker else []

    browse = where
    fetch_keys = open_keys

    async def new_key(self, _: Worker) -> None:
        return None

    async def destroy_key(self, by: Worker) -> None:
        self.destroyed.append(by.id)

    async def seal(self, person: str, field: str, text: str) -> str:
        return sealed(person, field, text)

    async def unseal(self, person: str, field: str, text: str, *, told: bool = True) -> str:
        if told:
            self.note_access(person)
        return text.removeprefix(sealed(person, field, ""))

    async def published(self, _topic: Topic, _by: Worker) -> bytes | None:
        return self._card

    def table(self, topic: Topic, by: Worker, value: bytes | None) -> None:
        self.records.append((topic.name, by.id, value))

    publish_table = table

    def reads_for(self, purpose: str) -> None:
        self._purpose = purpose

    def note_access(self, *people: str) -> None:
        self.accesses += [(each, self._purpose) for each in people if (each, self._purpose) not in self.accesses]


def _values(field: Any) -> set[Any]:
    return set(field) if isinstance(field, tuple) else {field}
