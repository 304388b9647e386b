"""Composition of enrolment."""

from functools import partial

from enrolment import api
from enrolment.agenda import pages as agenda
from enrolment.capacity import api as capacity_routes
from enrolment.capacity.projections import GroupSizes
from enrolment.cards import take_cards_back
from enrolment.complaints import api as complaint_routes
from enrolment.complaints import pages as complaints
from enrolment.complaints.projections import Complaints
from enrolment.consents import pages as recorded_consents
from enrolment.domain import Asking, Complaint, OfferedService, Outcome, ServiceRequest, Signposting, Worker
from enrolment.duplicates import api as duplicate_routes
from enrolment.duplicates import pages as duplicates
from enrolment.duplicates.running import end_merged_when_due
from enrolment.held import held
from enrolment.intake import limits
from enrolment.intake import pages as intake
from enrolment.lists import api as list_api
from enrolment.lists import pages as lists
from enrolment.names import api as names
from enrolment.outcomes import api as outcome_routes
from enrolment.outcomes import pages as outcomes
from enrolment.outcomes.projections import Exits
from enrolment.paths import answering, catalogue, fragments, seeding
from enrolment.paths import api as paths
from enrolment.paths import pages as requests
from enrolment.paths.projections import Catalogue, Requests, Signposts
from enrolment.people import pages as people
from enrolment.people.index import NameIndex
from enrolment.personal import api as link
from enrolment.personal import commands as links
from enrolment.personal import consents, download, leaving, opening, reach
from enrolment.personal import pages as personal
from enrolment.programmes import api as programmes
from enrolment.programmes.domain import PublishedProgramme
from enrolment.programmes.folder import publish_folder
from enrolment.programmes.queries import uses
from enrolment.projections import History, Leaders, Members, Progress
from enrolment.reactions import gate, reactions
from enrolment.referral import pages as referral
from enrolment.replay import erase_again, refuse_all_again, replays
from enrolment.retention import routes as retention
from enrolment.retention.running import erase_when_kept_long_enough
from enrolment.today import pages as today
from services.operations.erasures import erase_restored
from services.operations.replay import replay
from services.runtime.service import Service
from services.settings import Settings
from services.vault.keyring import master_holder


def build(settings: Settings) -> Service:
    """Build the service. Misconfigured when its keys or programmes cannot be read."""
    index = NameIndex()
    service = Service(
        "enrolment",
        settings,
        holder=master_holder(settings.keys),
        aggregates=[
            Worker,
            Asking,
            PublishedProgramme,
            OfferedService,
            ServiceRequest,
            Signposting,
            Outcome,
            Complaint,
        ],
        routes=[
            api.router,
            programmes.router,
            names.router,
            link.router,
            personal.router,
            consents.router,
            reach.router,
            leaving.router,
            download.router,
            list_api.router,
            lists.router,
            download.data,
            opening.router,
            complaints.router,  # before the pages that have a person in their address
            referral.router,
            intake.router,
            recorded_consents.router,
            people.router,
            people.sending((links.issue_link, links.IssueLink)),
            today.router,
            agenda.router,
            capacity_routes.router,
            duplicate_routes.router,
            duplicates.router,
            retention.router,
            paths.router,
            catalogue.router,
            requests.router,
            answering.router,
            fragments.router,
            outcome_routes.router,
            outcomes.router,
            complaint_routes.router,
        ],
        reactions=reactions,
        gate=gate,
        held=held,
        projections=[
            Progress(),
            History(),
            Leaders(),
            Members(),
            Catalogue(),
            Requests(),
            Signposts(),
            Exits(),
            Complaints(),
            GroupSizes(),
        ],
        background=[erase_when_kept_long_enough, end_merged_when_due, limits.end_unused],
        beside_api=[index.follow, seeding.keep_seeding],
        after_restore=[partial(replay, replays), erase_again, refuse_all_again, erase_restored],
        at_start=[publish_folder, take_cards_back, seeding.seed_at_start, limits.prepare_limits],
        uses=uses,
    )
    service.app.state.names = index
    return service
