"""The composition of grouping."""

from functools import partial

from grouping.conclusions import conclude_when_over
from grouping.domain import Facilitator, Group, Pair, Place, Seeker
from grouping.held import held
from grouping.membership import api as membership
from grouping.membership import ending, entrusting, forming, joining
from grouping.membership import fragments as membership_fragments
from grouping.membership import pages as membership_pages
from grouping.pairs import api as pairs
from grouping.precompiling import compile_in_advance
from grouping.projections import Facilitators, GroupList, Groups, Leaders, Places, Pool, Waiting
from grouping.proposals import api as proposals
from grouping.proposals import pages as proposals_pages
from grouping.reactions import gate, reactions
from grouping.registers import api as registers
from grouping.registers import pages as registers_pages
from grouping.registers.queries import uses
from grouping.replay import replays
from grouping.search_process import SearchProcesses, end_idle_searches
from services.contracts.topics import KEYS
from services.operations.erasures import erase_restored
from services.operations.replay import replay
from services.runtime.service import Service
from services.settings import Settings
from services.vault.keyring import service_holder

API = [registers.router, proposals.router, membership.router, pairs.router]
# The registers first: `/gruppi/luoghi` is no group.
PAGES = [
    registers_pages.router,
    proposals_pages.router,
    forming.router,
    joining.router,
    ending.router,
    entrusting.router,
    membership_pages.router,
    membership_fragments.router,
]


def build(settings: Settings) -> Service:
    """The service, not running yet. Misconfigured when its keys or programmes cannot be read."""
    service = Service(
        "grouping",
        settings,
        holder=service_holder("grouping", settings.keys),
        aggregates=[Seeker, Pair, Place, Facilitator, Group],
        routes=[*API, *PAGES],
        reactions=reactions,
        gate=gate,
        held=held,
        projections=[Pool(), Groups(), GroupList(), Waiting(), Places(), Facilitators(), Leaders()],
        tables=[KEYS],
        background=[conclude_when_over, compile_in_advance],
        beside_api=[end_idle_searches],
        after_restore=[partial(replay, replays), erase_restored],
        uses=uses,
    )
    service.app.state.searching = SearchProcesses()
    return service
