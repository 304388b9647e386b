"""The likeness of two records of one person, as keyed digests, so that no document holds a name or an address in the clear.

Invariant: the same tax code is certain. The same name with the same year of birth, e-mail address or telephone number is a hint, which an
operator judges. Whoever was erased has no digest any more.
"""

from collections.abc import Iterator, Mapping

from enrolment.domain import Worker
from enrolment.folding import words_of
from services.store.work import Work

BESIDE = ("birth_year", "email", "phone")  # fields of the card that make a hint beside the name
MOST = 20  # records that are remembered as like one


async def liken(worker: Worker, card: Mapping[str, str], work: Work) -> None:
    """Keep the digests of the card, and the records of other people that have one of them: those that nobody has judged."""
    worker.hints = tuple(sorted({work.lookup_digest("likeness", text) for text in _texts(card)}))
    wanted = [*({worker.fiscal} if worker.fiscal else ())]
    same = await work.browse(Worker, fiscal=wanted) if wanted else []
    alike = await work.browse(Worker, hints=list(worker.hints)) if worker.hints else []
    found = {each.id for each in (*same, *alike) if each.is_open_to_judgement} - {worker.id}
    found -= {*worker.distinct, *worker.expects, *([worker.merging.into] if worker.merging else [])}
    worker.alike = tuple(sorted(found))[:MOST]


def _texts(card: Mapping[str, str]) -> Iterator[str]:
    """The texts that are compared: the words of the name in any order, with each of the fields beside it."""
    words = sorted(words_of(" ".join(card.get(name, "") for name in ("given_name", "family_name"))))
    for name in BESIDE if words else ():
        if beside := card.get(name, ""):
            yield f"{' '.join(words)}|{name}|{beside.casefold()}"
