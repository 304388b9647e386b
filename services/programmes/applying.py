"""A file applied to what is published: the payload of the next version, or a refusal with the sentence that names the line."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from services.contracts.programmes import ProgrammePublished
from services.kernel import Refusal, Refused
from services.programmes.changes import following
from services.programmes.loading import ProgrammeFile, read_text, refuse_partners_of_others
from services.programmes.model import Programme
from services.programmes.publishing import programme_of, published
from services.settings import Misconfigured


def sent_file(text: str, name: str) -> ProgrammeFile:
    """Read a file that somebody sent. Refused("wrong-programme-file")."""
    with _refusing():
        return read_text(text, name)


def applied(
    id: str,
    before: ProgrammePublished | None,
    file: ProgrammeFile,
    today: date,
    *,
    lived_in: bool,
    others: Iterable[Programme],
) -> ProgrammePublished | None:
    """Return the next version of the programme of this id; None when the file changes nothing. Refused("wrong-programme-file").

    `others`: every other programme that is published, none of whose partners this one can take."""
    current = programme_of(id, before) if before is not None else None
    with _refusing():
        if file.programme.id != id:
            raise file.wrong(["id"], f"this is not {id}")
        refuse_partners_of_others(file, others, current)
        after = following(current, file, today, lived_in=lived_in)
    return published(after, before.version + 1 if before is not None else 1) if after != current else None


def brings_partners(file: ProgrammeFile, before: ProgrammePublished | None) -> bool:
    """Tell if the file names a partner that the published version does not hold."""
    known = {each.id for each in before.partners} if before is not None else set()
    return any(each.id not in known for each in file.programme.partners)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Misconfigured as wrong:
        raise Refused("wrong-programme-file", str(wrong), Refusal.INVALID) from wrong
