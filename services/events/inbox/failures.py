"""The reason for which an event failed, safe to show to anybody; and the stop when so many fail that no event is at fault.

Invariant: a reason names the kind of error and its place in the code. It never holds the error's text, in which a library may quote
personal data.
"""

import sysconfig
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from services.events.delivery.state import BatchResult
from services.kernel import Refused
from services.settings import Misconfigured


class TooManyFailures(Misconfigured):
    """Every event fails, so no event is at fault. Its text is one sentence for the operator of the system."""


class ProjectionFailed(Exception):
    """The handler of the projection of this name failed; the cause is its error."""

    def __init__(self, projection: str) -> None:
        super().__init__(projection)
        self.projection = projection


@dataclass(slots=True)
class FailureRun:
    """The dead letters of one consumer since its last success. At `limit` of them the consumer stops; 0: it never does."""

    consumer: str
    limit: int
    names: list[str] = field(default_factory=list)

    def check(self, result: BatchResult) -> None:
        """Raises TooManyFailures when this result would make the run too long, before anything of it is committed."""
        names = self._with(result)
        if result.failures and self.limit and len(names) >= self.limit:
            why = next(each.why for each in result.dead if each.name == result.failures[-1])
            raise TooManyFailures(
                f"{self.consumer} stopped: {len(names)} subjects failed one after the other, the last with {why}. That is not one bad "
                "event: mend the service and start it again, and all of them are taken. (If the events are at fault after all, "
                "start it with AMA_ALIKE=0: then each becomes a dead letter.)"
            )

    def add(self, result: BatchResult) -> None:
        """Count a result that was committed."""
        self.names = self._with(result)

    def _with(self, result: BatchResult) -> list[str]:
        return list(dict.fromkeys(result.failures if result.succeeded else [*self.names, *result.failures]))


def reason_of(error: BaseException) -> str:
    """The kind of error, the last place in our own code, and the projection, if one failed."""
    if isinstance(error, ProjectionFailed) and error.__cause__ is not None:
        return f"{reason_of(error.__cause__)} of the projection {error.projection}"
    code = f" ({error.code})" if isinstance(error, Refused) else ""
    frames = traceback.extract_tb(error.__traceback__)
    foreign = ("site-packages", sysconfig.get_path("stdlib"))
    # A frame inside a library does not tell which handler failed.
    ours = [each for each in frames if not any(place in each.filename for place in foreign)] or frames
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} in {ours[-1].name}" if ours else ""
    return f"{type(error).__name__}{code}{where}"
