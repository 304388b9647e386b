"""The answer of every form of grouping to a command that is refused, or to an engine that is away.

Invariant: what was typed stays in the form; a refusal that no sentence of ours explains is left to the frame.
"""

from typing import Any, NamedTuple

from grouping.refusals import SENTENCES
from services.kernel import Refused, Unavailable
from services.web.failures import STATUS
from services.web.frame import Filled
from services.web.frame.texts import N_
from services.web.run import Runner

LATER = N_(
    "The service does not answer at this moment. Nothing was saved; what you wrote is still here: try again shortly."
)


class Outcome(NamedTuple):
    """Result of a command: its answer, or the status of the page that says why it was not done."""

    answer: Any = None
    status: int | None = None


async def done(
    run: Runner, handler: Any, command: Any, filled: Filled, fields: dict[str, str] | None = None
) -> Outcome:
    """Run a command. When it is not done, the reason is in the form: above it, or at the field that `fields` names for its code.
    Refused for what no page of ours can say."""
    try:
        return Outcome(await run(handler, command))
    except Unavailable:
        filled.errors[""] = LATER
        return Outcome(status=503)
    except Refused as refused:
        if refused.code not in SENTENCES:
            raise
        filled.refuse(refused, (fields or {}).get(refused.code, ""))
        return Outcome(status=STATUS[refused.kind])


def version_in(filled: Filled) -> int:
    """The version that the page showed, in the field `seen`; 0, which nothing stored has, when that cannot be told."""
    text = filled.values["seen"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
