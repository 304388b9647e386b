"""Grouping, composed."""

from grouping import api
from grouping.domain import Facilitator, Group, Place, Seeker
from grouping.projections import Groups, Pool
from grouping.reactions import reactions
from services.contracts.topics import KEYS
from services.keyring import service_holder
from services.service import Service
from services.settings import Settings


def build(settings: Settings) -> Service:
    """Stand grouping on the chassis. Misconfigured when its keys or programmes cannot be read."""
    return Service(
        "grouping",
        settings,
        holder=service_holder("grouping", settings.keys),
        aggregates=[Seeker, Place, Facilitator, Group],
        routes=[api.router],
        reactions=reactions,
        projections=[Pool(), Groups()],
        tables=[KEYS],
    )
