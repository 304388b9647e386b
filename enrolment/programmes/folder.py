"""At every start of enrolment: what lies in the folder is published, or the start is refused with one sentence. What an administrator
published counts before the folder: a file that is older, or conflicts with it, is logged and left alone.

Invariant: any number of copies may start at once, since the command compares with what is published in its own transaction.
"""

import logging
from datetime import UTC, datetime

from enrolment.programmes.commands import ApplyFile, apply_file
from enrolment.programmes.domain import PublishedProgramme
from enrolment.programmes.queries import lived_in
from services.kernel import Refused
from services.programmes import ProgrammeFile, read_all
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.programmes import PublishedProgramme as Stored

log = logging.getLogger(__name__)
UNDATED = datetime.fromtimestamp(0, UTC)  # the record of the bus, with its time, replaces it


async def publish_folder(service: Service) -> None:
    """Apply each served file of the folder. Misconfigured when one gives an id a second meaning."""
    for id, file in read_all(service.settings.programmes).items():
        if id in service.rules:
            await _publish(service, file)
    await _serve_own(service)


async def _publish(service: Service, file: ProgrammeFile) -> None:
    id = file.programme.id
    command = ApplyFile(file=file, lived_in=await lived_in(service.store, id), from_folder=True)
    try:
        await service.do(apply_file, command, id)
        service.metrics.set_gauge("programme_file_used", 1, id)
    except Refused as wrong:
        if not await _is_an_administrators(service, id):
            raise Misconfigured(wrong.detail) from wrong
        service.metrics.set_gauge("programme_file_used", 0, id)
        # The operator may not know of the change: every other programme has to start all the same.
        extra = {"service": service.name, "programme": id, "reason": wrong.detail}
        log.error("a programme's file is left alone: the published version counts", extra=extra)  # noqa: TRY400  # the sentence says it all


async def _is_an_administrators(service: Service, id: str) -> bool:
    stored = (await service.store.by_id(PublishedProgramme.noun, [f"{id}/{id}"])).get(f"{id}/{id}")
    return stored is not None and not PublishedProgramme.model_validate(stored["state"]).from_folder


async def _serve_own(service: Service) -> None:
    """Serve what is published, without waiting for the bus."""
    async for document in service.store[PublishedProgramme.noun].find({}):
        programme = PublishedProgramme.model_validate(document["state"])
        if programme.content is None:
            continue
        content = programme.content.model_dump(mode="json")
        new = Stored(programme.id, programme.version, UNDATED, content)
        stored = (await service.store.by_id(Stored.collection, [new.id])).get(new.id)
        if new.follows(stored):
            await service.store.write(Stored.collection, [new.upsert()])
    await service.programmes.look()
