"""At every start of enrolment: what lies in the folder is published, or the start is refused with one sentence.

Invariant: any number of copies may start at once, since the command compares with what is published in its own transaction.
"""

from datetime import UTC, datetime

from enrolment.programmes.commands import ApplyFile, apply_file
from enrolment.programmes.domain import PublishedProgramme
from enrolment.programmes.queries import lived_in
from services.kernel import Refused
from services.programmes import read_all, refuse_partners_of_others
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.programmes import PublishedProgramme as Stored

UNDATED = datetime.fromtimestamp(0, UTC)  # the record of the bus, with its time, replaces it


async def publish_folder(service: Service) -> None:
    """Apply each served file of the folder. Misconfigured when one gives an id a second meaning."""
    for id, file in read_all(service.settings.programmes).items():
        if id not in service.rules:
            continue
        refuse_partners_of_others(file, service.rules.values())
        command = ApplyFile(name=file.name, text=file.text, lived_in=await lived_in(service.store, id))
        try:
            await service.do(apply_file, command, id)
        except Refused as wrong:
            raise Misconfigured(wrong.detail) from wrong
    await _serve_own(service)


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
