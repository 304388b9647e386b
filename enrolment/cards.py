"""Contact cards that an earlier version had published for people who do not participate: each start takes them back.

Invariant: a card is taken back once, and none is published here.
"""

from enrolment.commands import TakeCardBack, take_card_back
from enrolment.domain import Worker
from services.runtime.service import Service


async def take_cards_back(service: Service) -> None:
    """Look for people who consent to contact and not to participate, and take back what is published of them."""
    where = {"state.consents.contact.given": True, "state.consents.participation.given": {"$ne": True}}
    found = [each async for each in service.store[Worker.noun].find(where, {"programme": 1, "state.id": 1})]
    for each in found:
        if each["programme"] in service.rules:
            await service.do(take_card_back, TakeCardBack(worker=each["state"]["id"]), each["programme"])
