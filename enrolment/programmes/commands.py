"""The command that applies a programme's file."""

from typing import Any

from pydantic import ConfigDict

from enrolment.programmes.domain import PublishedProgramme
from services.kernel import Command, Refusal, Refused
from services.programmes import ProgrammeFile, applied, brings_partners, programme_of
from services.store.work import Work


class ApplyFile(Command):
    """A file of the programme, read before the transaction begins. `lived_in`: somebody was referred to the programme. `from_folder`: it
    lies in the folder at a start."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    file: ProgrammeFile
    lived_in: bool
    from_folder: bool = False


async def apply_file(command: ApplyFile, work: Work) -> dict[str, Any]:
    """Publish what the file makes of the published version; nothing when it changes nothing. Refused("wrong-programme-file") with the
    sentence that names the line, or ("outdated-programme-file") for one of the folder that an administrator has replaced."""
    programme = await work.find(PublishedProgramme, work.programme)
    # Guarded, so that two programmes cannot take one partner at once.
    before = programme.content if programme is not None else None
    published = await work.across(PublishedProgramme) if brings_partners(command.file, before) else []
    others = [programme_of(each.id, each.content) for each in published if each.content and each.id != work.programme]
    if programme is None:
        programme = PublishedProgramme(id=work.programme)
        work.add(programme)
    digest = command.file.digest
    if command.from_folder and programme.is_outdated(digest):
        fault = f"{command.file.name} was replaced by what an administrator published, version {programme.version}."
        raise Refused("outdated-programme-file", fault, Refusal.CONFLICT)
    today = work.rules.day_of(work.now)
    following = applied(programme.id, programme.content, command.file, today, lived_in=command.lived_in, others=others)
    if following is not None:
        programme.publish(following, digest, from_folder=command.from_folder)
    return {"version": programme.version, "changed": following is not None}
