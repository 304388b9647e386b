"""The command that applies a programme's file."""

from typing import Any

from enrolment.programmes.domain import PublishedProgramme
from services.kernel import Command
from services.programmes import applied
from services.store.work import Work


class ApplyFile(Command):
    """A file of the programme, with its name. `lived_in`: somebody was referred to the programme."""

    name: str
    text: str
    lived_in: bool


async def apply_file(command: ApplyFile, work: Work) -> dict[str, Any]:
    """Publish what the file makes of the published version; nothing when it changes nothing. Refused("wrong-programme-file") with the
    sentence that names the line."""
    programme = await work.find(PublishedProgramme, work.programme)
    if programme is None:
        programme = PublishedProgramme(id=work.programme)
        work.add(programme)
    today = work.rules.day_of(work.now)
    following = applied(programme.id, programme.content, command.text, command.name, today, lived_in=command.lived_in)
    if following is not None:
        programme.publish(following)
    return {"version": programme.version, "changed": following is not None}
