"""Addresses of the site: which service answers a page, the navigation of each role, and the page where a role begins.

Invariant: this is the only list. Caddy, `ama up`, the navigation and the tests are made from it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from services.contracts.topics import SERVICES
from services.identity.auth import Role
from services.web.frame.texts import N_

FRONT = "front"
# The first segment of a public path, and who answers it. Services answer `/{service}/…` besides.
SEGMENTS: Mapping[str, str] = {
    "": FRONT,
    "accedi": FRONT,
    "esci": FRONT,
    "ruolo": FRONT,
    "account": FRONT,
    "entra": FRONT,
    "static": FRONT,
    "console": FRONT,
    "issuer": FRONT,
    "accessibilita": FRONT,
    "privacy": FRONT,
    "cookie": FRONT,
    "oggi": "enrolment",
    "colloqui": "enrolment",
    "doppioni": "enrolment",
    "persone": "enrolment",
    "segnalazioni": "enrolment",
    "partecipa": "enrolment",
    "me": "enrolment",
    "servizi": "enrolment",
    "richieste": "enrolment",
    "risposta": "enrolment",
    "reclami": "enrolment",
    "esiti": "enrolment",
    "gruppi": "grouping",
    "proposte": "grouping",
    "gruppo": "sessions",
    "incontri": "sessions",
    "questionario": "sessions",
    "messaggi": "notifications",
    "andamento": "analytics",
    "andamento.csv": "analytics",
}
NO_PAGES = frozenset({"static", "issuer", *SERVICES})  # segments whose refusals are for programs

LANDING: Mapping[Role, str] = {
    Role.WORKER: "/me",
    Role.REFERRER: "/segnalazioni",
    Role.OPERATOR: "/oggi",
    Role.FACILITATOR: "/gruppo",
    Role.COORDINATOR: "/andamento",
    Role.SYSTEM_OPERATOR: "/console",
    Role.ADMINISTRATOR: "/console",
}
ROLES: Mapping[Role, str] = {
    Role.WORKER: N_("Participant"),
    Role.REFERRER: N_("Referring partner"),
    Role.OPERATOR: N_("Operator"),
    Role.FACILITATOR: N_("Facilitator"),
    Role.COORDINATOR: N_("Coordination"),
    Role.PARTNER_SYSTEM: N_("Partner system"),
    Role.ADMINISTRATOR: N_("Administrator of the programme"),
    Role.SYSTEM_OPERATOR: N_("System operator"),
}


class Entry(NamedTuple):
    """One entry of the navigation: its address, its text, and the roles that have it."""

    address: str
    text: str
    roles: tuple[Role, ...]


NAVIGATION = (
    Entry("/me", N_("My page"), (Role.WORKER,)),
    Entry("/segnalazioni", N_("My referrals"), (Role.REFERRER,)),
    Entry("/oggi", N_("Today"), (Role.OPERATOR,)),
    Entry("/colloqui", N_("Interviews"), (Role.OPERATOR,)),
    Entry("/persone", N_("People"), (Role.OPERATOR,)),
    Entry("/persone/apri", N_("Open a record"), (Role.ADMINISTRATOR,)),
    Entry("/gruppi", N_("Groups"), (Role.OPERATOR,)),
    Entry("/proposte", N_("Proposals of groups"), (Role.OPERATOR,)),
    Entry("/incontri", N_("Meetings"), (Role.OPERATOR,)),
    Entry("/messaggi", N_("Messages"), (Role.OPERATOR,)),
    Entry("/richieste", N_("Requests"), (Role.OPERATOR,)),
    Entry("/gruppo", N_("My groups"), (Role.FACILITATOR,)),
    Entry("/andamento", N_("Progress"), (Role.COORDINATOR, Role.OPERATOR, Role.ADMINISTRATOR)),
    Entry("/console", N_("Console"), (Role.SYSTEM_OPERATOR, Role.ADMINISTRATOR)),
)


def segment_of(path: str) -> str:
    """Return the first segment of a path: empty for `/`."""
    return path.lstrip("/").partition("/")[0]


def owner_of(path: str) -> str | None:
    """Return who answers a public path: the name of a service, or "front"; None when nobody does."""
    segment = segment_of(path)
    return segment if segment in SERVICES else SEGMENTS.get(segment)


def segments_of(service: str) -> frozenset[str]:
    """Return the first segments of the pages of a service, at the root of the site."""
    return frozenset(segment for segment, owner in SEGMENTS.items() if owner == service)


def is_page(path: str) -> bool:
    """Tell if people look at this address with a browser, so that a refusal has to be a page."""
    segment = segment_of(path)
    return segment in SEGMENTS and segment not in NO_PAGES


def navigation_of(role: Role) -> list[Entry]:
    """List the entries of a role, in their order."""
    return [entry for entry in NAVIGATION if role in entry.roles]


def landing_of(role: Role) -> str:
    """Return the page on which a role begins; the start page for a role that has no pages."""
    return LANDING.get(role, "/")
