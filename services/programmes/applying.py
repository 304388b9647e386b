"""A file applied to what is published: the payload of the next version, or a refusal with the sentence that names the line."""

from datetime import date

from services.contracts.programmes import ProgrammePublished
from services.kernel import Refusal, Refused
from services.programmes.changes import following
from services.programmes.loading import read_text
from services.programmes.publishing import programme_of, published
from services.settings import Misconfigured


def applied(
    id: str, before: ProgrammePublished | None, text: str, name: str, today: date, *, lived_in: bool
) -> ProgrammePublished | None:
    """Return the next version of the programme of this id; None when the file changes nothing. Refused("wrong-programme-file")."""
    current = programme_of(id, before) if before is not None else None
    try:
        file = read_text(text, name)
        if file.programme.id != id:
            raise file.wrong(["id"], f"this is not {id}")
        after = following(current, file, today, lived_in=lived_in)
    except Misconfigured as wrong:
        raise Refused("wrong-programme-file", str(wrong), Refusal.INVALID) from wrong
    return published(after, before.version + 1 if before is not None else 1) if after != current else None
