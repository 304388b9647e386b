"""A partner's projection of its ledger, and consumers that fail at planned places."""

from typing import Any

from services.consumer import Projection, Sqlite, on
from services.contracts import Event
from services.contracts.feed import Admitted, Referred
from tests.consumer import stores


class Outcomes(Projection):
    """Facts of each person."""

    name = "outcomes"
    indexes = ("referred", "admitted")

    @on(Referred)
    def referred(self, event: Event[Referred], rows: Any) -> None:
        rows.set(event.subject, person=event.subject, referred=event.data.on)

    @on(Admitted)
    def admitted(self, event: Event[Admitted], rows: Any) -> None:
        rows.set(event.subject, admitted=event.data.on)


def failing(*sequences: int) -> Any:
    """Fails at these places, for as long as they are in the list that is returned with it."""
    bad = set(sequences)

    def fail(event: Event[Any]) -> None:
        if event.sequence in bad:
            raise RuntimeError("a defect of the partner's")

    return bad, fail


async def rows(store: Any) -> dict[str, dict[str, Any]]:
    """The projection's rows, read as a partner reads them."""
    if isinstance(store, Sqlite):
        async with store.transaction() as transaction:
            found = transaction.given.execute("SELECT key, referred, admitted FROM outcomes")
            return {key: {"referred": referred, "admitted": admitted} for key, referred, admitted in found}
    found = await stores.now((await store.rows("outcomes")).find({}).to_list(None))
    return {each["_id"]: {name: each.get(name) for name in ("referred", "admitted")} for each in found}
