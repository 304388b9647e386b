"""The collection `deliveries`: how far each feed is delivered, to be shown. No decision rests on it."""

from pydantic import BaseModel

from services.store.mongo import Store


class Delivered(BaseModel):
    """The last delivered sequence of a partner's ledger; `stopped` is the reason why no more is delivered."""

    partner: str
    delivered: int
    stopped: str | None = None


class Deliveries:
    """Reads and writes the collection."""

    def __init__(self, store: Store) -> None:
        self._documents = store["deliveries"]

    async def note(self, programme: str, delivered: Delivered) -> None:
        """Replace the state of this partner's feed."""
        document = {"programme": programme, **delivered.model_dump()}
        await self._documents.replace_one({"_id": f"{programme}/{delivered.partner}"}, document, upsert=True)

    async def note_failure(self, programme: str, partner: str, reason: str) -> None:
        """Note why this partner's feed waits; the delivered sequence stays."""
        new = {"programme": programme, "partner": partner, "delivered": 0}
        await self._documents.update_one(
            {"_id": f"{programme}/{partner}"}, {"$set": {"stopped": reason}, "$setOnInsert": new}, upsert=True
        )

    async def of(self, programme: str) -> dict[str, Delivered]:
        """The state of each feed by partner."""
        found = self._documents.find({"programme": programme})
        return {each["partner"]: Delivered.model_validate(each) async for each in found}
