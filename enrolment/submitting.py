"""The answer of a form to a command that is refused, or to an engine that is away.

Invariant: what was typed stays in the form; a refusal that no sentence of the page explains is left to the frame.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.kernel import Command, Refused, Unavailable
from services.web.failures import STATUS
from services.web.frame import Filled
from services.web.run import Runner


class Outcome(NamedTuple):
    """Result of a command: its answer, or the status of the page that says why it was not done."""

    answer: Any = None
    status: int | None = None


async def submitted(
    run: Runner, handler: Any, command: Command, filled: Filled, sentences: Mapping[str, str], fields: Mapping[str, str]
) -> Outcome:
    """Run a command, once for the form's key. When it is not done, the reason is in the form, at the field that `fields` names for its
    code. Raises refusals without a sentence."""
    try:
        return Outcome(await run.once(filled.key)(handler, command))
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return Outcome(status=503)
    except Refused as refused:
        if refused.code not in sentences:
            raise
        filled.refuse(refused, fields.get(refused.code, ""))
        return Outcome(status=STATUS[refused.kind])
