"""Reads of the catalogue and of requests: single ones from the aggregates, so that what was just saved is seen at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from enrolment.domain import OfferedService, ServiceRequest, Status, Worker, is_expired
from enrolment.domain.requests import WAITING, digest_of
from services.contracts.base import Day
from services.contracts.enrolment import Purpose
from services.contracts.paths import ServiceKind, ServiceRegistered, ServiceStatus
from services.kernel import Refusal, Refused, code_of
from services.store.mongo import Store
from services.store.work import Work

REACHED_BY = ("given_name", "family_name", "phone", "email")  # fields of the card that a receiver may be told


class CatalogueService(ServiceRegistered):
    """A service of the catalogue, as an answer of the API. `expired`: the notes on eligibility are past their last day."""

    id: str
    expired: bool


async def one_service(work: Work, service: str) -> tuple[OfferedService, int]:
    """A service and its version. Refused("no-such-service", 404)."""
    found = await work.peek(OfferedService, service)
    if found is None:
        raise Refused("no-such-service", f"There is no service {service}.", Refusal.NOT_FOUND)
    return found, work.version(found)


async def services_named(work: Work, ids: Iterable[str]) -> dict[str, ServiceRegistered]:
    """Return the contents of these services, in one query."""
    return {each.id: each.told for each in await work.peek_all(OfferedService, sorted(set(ids)))}


def described(row: dict[str, Any], today: Day) -> CatalogueService:
    """A row of the catalogue as the API answers it."""
    content = ServiceRegistered.model_validate(row)
    return CatalogueService(id=row["service"], expired=is_expired(content.valid_to, today), **content.model_dump())


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with what the catalogue says of its service."""

    request: ServiceRequest
    service: ServiceRegistered
    version: int


async def one_request(work: Work, request: str) -> Asked:
    """One request, for an operator: who it is for is a code. Noted as an access. Refused("no-such-request", 404)."""
    found = await work.peek(ServiceRequest, request)
    if found is None:
        raise Refused("no-such-request", f"There is no request {request}.", Refusal.NOT_FOUND)
    work.reads_for("request")
    work.note_access(found.worker)
    return await _asked(found, work)


async def own_request(work: Work, worker: str, request: str) -> Asked:
    """A request of the worker who asks. Refused("no-such-request", 404), also for that of somebody else."""
    found = await work.peek(ServiceRequest, request)
    if found is None or found.worker != worker:
        raise Refused("no-such-request", f"There is no request {request}.", Refusal.NOT_FOUND)
    return await _asked(found, work)


async def requests_of(work: Work, worker: str) -> list[Asked]:
    """The requests for one worker, the newest first, in two statements. Noted as an access."""
    work.reads_for("requests")
    work.note_access(worker)
    found = await work.browse(ServiceRequest, worker=worker)
    services = await services_named(work, [each.service for each in found])
    return [
        Asked(each, services[each.service], work.version(each)) for each in reversed(found) if each.service in services
    ]


async def _asked(found: ServiceRequest, work: Work) -> Asked:
    service, _ = await one_service(work, found.service)
    return Asked(found, service.told, work.version(found))


class Opened(BaseModel):
    """The request that a link opens: its programme, its id, and who is asked."""

    programme: str
    request: str
    receiver: str


async def opened_by(store: Store, programmes: Collection[str], token: str, now: datetime) -> Opened:
    """Find the request of this token. Refused("no-such-link", 404), the same for one that expired, was replaced, or never was."""
    where = {"programme": {"$in": sorted(programmes)}, "state.digest": digest_of(token)}
    found = await store[ServiceRequest.noun].find_one(where, {"programme": 1, "state": 1})
    request = ServiceRequest.model_validate(found["state"]) if found else None
    if found is None or request is None or not request.opens(token, now):
        raise _no_link()
    return Opened(programme=found["programme"], request=request.id, receiver=request.receiver)


@dataclass(frozen=True, slots=True)
class ForReceiver:
    """The facts that a receiver needs: the service, when it was asked for, and for whom. `card`: name and contact of the person, as
    far as they consented to it with this request; else empty, and the code alone names them."""

    service: str
    kind: ServiceKind
    organization: str
    asked: datetime
    used: bool
    code: str
    card: dict[str, str]


async def for_receiver(work: Work, request: str, token: str) -> ForReceiver:
    """Return the part that the receiver behind this link may see; of an answered request no card. Noted as an access of the receiver.
    Refused("no-such-link", 404): also when the person does not take part any more, or is erased."""
    found = await work.peek(ServiceRequest, request)
    worker = await work.peek(Worker, found.worker) if found is not None else None
    if found is None or worker is None or not found.opens(token, work.now) or not _takes_part(worker):
        raise _no_link()
    service, _ = await one_service(work, found.service)
    work.reads_for("request")
    work.note_access(worker.id)
    shown = REACHED_BY if found.told and not found.used and found.status in WAITING else ()
    card = {name: await work.unseal(worker.id, name, worker.card[name]) for name in shown if name in worker.card}
    about = service.told
    assert found.requested is not None  # the first event has set it
    return ForReceiver(
        about.name, about.kind, about.organization_name, found.requested, found.used, code_of(worker.id), card
    )


def _takes_part(worker: Worker) -> bool:
    return worker.status is not Status.ERASED and worker.consents_to(Purpose.PARTICIPATION)


def _no_link() -> Refused:
    return Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)


ACTIVE = {"status": ServiceStatus.ACTIVE.value}  # filter of the services that can be asked
