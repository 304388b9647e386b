"""Enrolment, composed."""

from enrolment import api
from enrolment.domain import Worker
from enrolment.projections import Desk
from enrolment.reactions import reactions
from services.keyring import master_holder
from services.service import Service
from services.settings import Settings


def build(settings: Settings) -> Service:
    """Stand enrolment on the chassis. Misconfigured when its keys or programmes cannot be read."""
    return Service(
        "enrolment",
        settings,
        holder=master_holder(settings.keys),
        aggregates=[Worker],
        routes=[api.router],
        reactions=reactions,
        projections=[Desk()],
    )
