"""Composition of sessions."""

from services.contracts.topics import KEYS
from services.operations.erasures import erase_restored
from services.programmes import worded
from services.runtime.service import Service
from services.settings import Settings
from services.vault.keyring import service_holder
from sessions import api, link_routes, pages
from sessions.domain import Meeting, Participant, Roster, Survey
from sessions.held import held
from sessions.invitations import invite_when_due
from sessions.links import linking
from sessions.meetings import api as series_api
from sessions.meetings import fragments, moving
from sessions.meetings import pages as meetings_pages
from sessions.projections import Calendar, Leaders, Leads, Led, Meetings, Places
from sessions.queries import uses
from sessions.reactions import gate, reactions
from sessions.replay import restore_links
from sessions.waves import plan_added_waves


def build(settings: Settings) -> Service:
    """Build the service. Misconfigured when its keys, its programmes or the wording of an instrument cannot be read."""
    instruments = worded(settings.programmes)
    return Service(
        "sessions",
        settings,
        holder=service_holder("sessions", settings.keys),
        aggregates=[Roster, Meeting, Participant, Survey],
        routes=[
            api.router,
            link_routes.router(instruments),
            series_api.router,
            fragments.data,
            fragments.router,
            moving.router,
            meetings_pages.router,
            pages.router(instruments),
        ],
        reactions=reactions,
        gate=gate,
        held=held,
        projections=[Leaders(), Calendar(), Leads(), Meetings(), Led(), Places()],
        tables=[KEYS],
        background=[invite_when_due, linking(instruments), plan_added_waves],
        after_restore=[restore_links, erase_restored],
        uses=uses,
    )
