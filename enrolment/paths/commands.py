"""Commands on the catalogue, on sign-posting and on requests, each beside its one handler.

Invariant: a token is in one event for the receiver and nowhere else; no answer of a command and no document has it.
"""

import re
import secrets
import unicodedata
from typing import Any

from enrolment.domain import Complaint, OfferedService, ServiceRequest, Signposting, Status, Worker
from enrolment.domain.requests import LINK_LASTS
from services.contracts.base import Id, Slug
from services.contracts.enrolment import How, Purpose
from services.contracts.paths import Answer, Ending, NeedMet, RefusalReason, RequestLinked, ServiceRegistered
from services.kernel import Command, Refusal, Refused, in_order, new_id
from services.store.work import Work

TOKEN = 32  # bytes
LONGEST = 36  # characters of an id that is made of a name, so that a number fits behind it


class RegisterService(Command):
    """A service is added to the catalogue, or corrected. `service` None: a new one, whose id is made of its name. `seen`: the version that
    was corrected."""

    service: Slug | None
    content: ServiceRegistered
    seen: int | None = None


async def register_service(command: RegisterService, work: Work) -> dict[str, str]:
    """Add the service, or correct it. Refused: id-taken, changed-meanwhile, wrong-period."""
    content = command.content
    if content.valid_from and content.valid_to and content.valid_to < content.valid_from:
        raise Refused("wrong-period", "The last day of the notes is before the first.", Refusal.INVALID)
    id = command.service or await _free_id(content.name, work)
    service = await work.find(OfferedService, id)
    if service is not None:
        if command.seen not in {None, work.version(service)}:
            raise Refused("changed-meanwhile", f"Service {id} was changed meanwhile.", Refusal.STALE)
        service.correct(content)
    else:
        await _not_taken(id, work)
        work.add(OfferedService.new(id, content))
    return {"service": id}


def id_of(name: str) -> str:
    """The id that is made of a name: `Dote Unica Lavoro` is `dote-unica-lavoro`."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return "-".join(re.findall("[a-z0-9]+", plain))[:LONGEST].strip("-") or "servizio"


async def _free_id(name: str, work: Work) -> str:
    """An id made of the name, with a number behind it where another service has it."""
    base, number = id_of(name), 1
    while await work.find(OfferedService, id := base if number == 1 else f"{base}-{number}") is not None:
        number += 1
    return id


async def _not_taken(id: str, work: Work) -> None:
    """Refuse the id of something else that publishes on the same topic, where consumers would take one's events for the other's."""
    for kind in (Worker, Complaint, ServiceRequest):
        if await work.find(kind, id) is not None:
            raise Refused("id-taken", f"{id} is the id of something else: choose another one.")


class SeedService(Command):
    """A service of the programme's file, for a catalogue that never had it."""

    service: Slug
    content: ServiceRegistered


async def seed_service(command: SeedService, work: Work) -> None:
    """Add the service, unless the catalogue has or had it: what its pages say counts from then on."""
    if await work.find(OfferedService, command.service) is None:
        work.add(OfferedService.new(command.service, command.content))


class OfferService(Command):
    """A service is offered no more, or again."""

    service: Slug
    offered: bool


async def offer_service(command: OfferService, work: Work) -> None:
    """Retire the service, or offer it again. Refused: no-such-service, service-inactive, service-active."""
    service = await work.get(OfferedService, command.service)
    if command.offered:
        service.offer_again()
    else:
        service.retire()


class Signpost(Command):
    """A worker was told of a service."""

    worker: Id
    service: Slug


async def signpost(command: Signpost, work: Work) -> None:
    """Note it beside the worker's way, at any step. Refused: no-such-worker, no-such-service, service-inactive, out-of-order, erased."""
    worker = await _worker(command.worker, work)
    service = await work.get(OfferedService, command.service)
    service.refuse_inactive()
    at = in_order("The signpost", work.at, "the referral", worker.referred)
    work.add(Signposting.make(new_id(), worker.id, service.id, at))


class AskService(Command):
    """A service is asked for a worker. `told`: the worker consents that the receiver is given name and contact, and said so in the way
    `how`."""

    worker: Id
    service: Slug
    told: bool = False
    how: How | None = None


async def ask_service(command: AskService, work: Work) -> dict[str, Any]:
    """Make the request, and send the receiver its link where an address is known. Refused: no-such-worker, no-such-service,
    service-inactive, no-consent, no-how, out-of-order, erased."""
    worker = await _worker(command.worker, work)
    if not worker.consents_to(Purpose.PARTICIPATION):
        raise Refused("no-consent", f"Worker {worker.id} has not consented to take part.")
    service = await work.get(OfferedService, command.service)
    service.refuse_inactive()
    receiver = service.told.organization_id
    at = in_order("The request", work.at, "the consent to take part", worker.consents[Purpose.PARTICIPATION].at)
    at = in_order("The request", at, "the referral", worker.referred)
    request = ServiceRequest.make(new_id(), worker.id, service.id, receiver, at, told=command.told, how=command.how)
    work.add(request)
    return {"request": request.id, "sent": _link(request, service, work)}


def _link(request: ServiceRequest, service: OfferedService, work: Work) -> bool:
    """Issue the link. False when no address of the receiver is known."""
    about = service.told
    if about.email is None:
        return False
    linked = RequestLinked(
        worker=request.worker,
        service_name=about.name,
        organization_name=about.organization_name,
        email=about.email,
        token=secrets.token_urlsafe(TOKEN),
        expires=work.now + LINK_LASTS,
    )
    request.link(linked, work.now)
    return True


class LinkAgain(Command):
    """The receiver is to get a new link, in place of an earlier one."""

    request: Id


async def link_again(command: LinkAgain, work: Work) -> None:
    """Issue a new link. Refused: no-such-request, answered-already, no-receiver-address, no-consent, erased."""
    request = await work.get(ServiceRequest, command.request)
    worker = await _worker(request.worker, work)
    if not worker.consents_to(Purpose.PARTICIPATION):
        raise Refused("no-consent", f"Worker {worker.id} has not consented to take part.")
    if not _link(request, await work.get(OfferedService, request.service), work):
        raise Refused("no-receiver-address", f"No address of the receiver of request {request.id} is known.")


class AnswerRequest(Command):
    """The receiver answered, and an operator writes it down; or it answers by its link, with this token."""

    request: Id
    answer: Answer
    reason: RefusalReason | None = None
    token: str | None = None


async def answer_request(command: AnswerRequest, work: Work) -> None:
    """Take the answer. Refused: no-such-request, answered-already, no-reason, out-of-order; by a link also no-such-link, link-used."""
    by_link = command.token is not None
    request = await work.get(ServiceRequest, command.request)
    worker = await _worker(request.worker, work)
    if command.token is not None and not (
        request.opens(command.token, work.now) and worker.consents_to(Purpose.PARTICIPATION)
    ):
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    request.take_answer(command.answer, command.reason, work.at, by_link=by_link)


class EndRequest(Command):
    """A request came to its end."""

    request: Id
    ending: Ending


async def end_request(command: EndRequest, work: Work) -> None:
    """Record the end. Refused: no-such-request, not-accepted, ended-already, out-of-order."""
    request = await work.get(ServiceRequest, command.request)
    await _worker(request.worker, work)
    request.end(command.ending, work.at)


class TellNeed(Command):
    """A worker says if the need behind their request was met."""

    worker: Id
    request: Id
    met: NeedMet


async def tell_need(command: TellNeed, work: Work) -> None:
    """Take the worker's word, once. Refused: no-such-request, also for the request of somebody else; not-asked, told-already."""
    request = await work.find(ServiceRequest, command.request)
    if request is None or request.worker != command.worker:
        raise Refused("no-such-request", f"There is no request {command.request}.", Refusal.NOT_FOUND)
    await _worker(request.worker, work)
    request.tell_need(command.met, work.at)


async def _worker(id: str, work: Work) -> Worker:
    """The worker, guarded. Refused("erased", 410) when nothing is left of them."""
    worker = await work.get(Worker, id)
    if worker.status is Status.ERASED:
        raise Refused("erased", f"Person {id} was erased.", Refusal.GONE)
    work.follow(worker.trace)
    return worker
