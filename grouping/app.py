"""Grouping, composed."""

from functools import partial

from grouping.proposals import api
from grouping.domain import Facilitator, Group, Pair, Place, Seeker
from grouping.projections import Groups, Pool
from grouping.reactions import reactions
from grouping.replay import recalls
from services.contracts.topics import KEYS
from services.operations.replay import recall
from services.runtime.service import Service
from services.settings import Settings
from services.vault.keyring import service_holder


def build(settings: Settings) -> Service:
    """Stand grouping on the chassis. Misconfigured when its keys or programmes cannot be read."""
    service = Service(
        "grouping",
        settings,
        holder=service_holder("grouping", settings.keys),
        aggregates=[Seeker, Pair, Place, Facilitator, Group],
        routes=[api.router],
        reactions=reactions,
        projections=[Pool(), Groups()],
        tables=[KEYS],
    )
    service.after_restore = (partial(recall, recalls),)
    return service
