"""A contact card that is published without both consents is taken back at the next start."""

from typing import Any

from services.contracts.enrolment import Purpose
from services.contracts.topics import CONTACTS
from services.settings import Settings
from services.store.mongo import Store
from tests.operations.backup.conftest import databases, living


async def cards(store: Store, person: str) -> list[Any]:
    """Return, in order, what was published of this person: True for a card, False for its removal."""
    found = store["outbox"].find({"topic": CONTACTS.name, "key": person}).sort("sequence", 1)
    return [each["value"] is not None async for each in found]


async def test_a_start_takes_back_the_cards_of_people_who_do_not_participate_and_no_others(own: Settings) -> None:
    async with living(own, ["enrolment"]) as town:
        stays, left = [await town.world.refer() for _ in range(2)]
        for each in (stays, left):
            await town.world.consent(each, True, Purpose.CONTACT, Purpose.PARTICIPATION)
    async with databases(own, ["enrolment"]) as stores:
        store = stores["enrolment"]
        assert (await cards(store, stays), await cards(store, left)) == ([True], [True])
        # As an earlier version left it: the withdrawal did not touch the card.
        withdrawn = {"$set": {"state.consents.participation.given": False}}
        await store["worker"].update_one({"_id": f"{own.only}/{left}"}, withdrawn)
        for _ in range(2):
            async with living(own, ["enrolment"], roles=()):
                pass
        assert (await cards(store, stays), await cards(store, left)) == ([True], [True, False])
