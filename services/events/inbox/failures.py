"""Why an event failed, as everybody may know it; and when so many fail that no event is at fault.

Invariant: a reason says what kind of error and where, never its text, in which a library may quote what somebody said of themselves.
"""

import sysconfig
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from services.events.delivery.state import BatchResult
from services.kernel import Refused
from services.settings import Misconfigured


class TooManyFailures(Misconfigured):
    """One sentence for the operator of the system: every event fails, so no event is at fault."""


@dataclass(slots=True)
class Row:
    """The dead letters of one consumer since its last success. `limit`: so many are too many; 0: none are."""

    consumer: str
    limit: int
    names: list[str] = field(default_factory=list)

    def refuse(self, turn: BatchResult) -> None:
        """Raises TooManyFailures when this turn would make the row too long: not one more is buried then."""
        names = self._with(turn)
        if turn.row and self.limit and len(names) >= self.limit:
            why = next(each.why for each in turn.dead if each.name == turn.row[-1])
            raise TooManyFailures(
                f"{self.consumer} stopped: {len(names)} subjects failed one after the other, the last with {why}. That is not one bad "
                "event: mend the service and start it again, and all of them are taken. (If the events are at fault after all, "
                "start it with AMA_ALIKE=0: then each becomes a dead letter.)"
            )

    def took(self, turn: BatchResult) -> None:
        """This turn is committed."""
        self.names = self._with(turn)

    def _with(self, turn: BatchResult) -> list[str]:
        return list(dict.fromkeys(turn.row if turn.took else [*self.names, *turn.row]))


def reason_of(error: BaseException) -> str:
    """The kind of error, and the last place in our own code."""
    code = f" ({error.code})" if isinstance(error, Refused) else ""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = ("site-packages", sysconfig.get_path("stdlib"))
    ours = [each for each in frames if not any(place in each.filename for place in theirs)] or frames
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} in {ours[-1].name}" if ours else ""
    return f"{type(error).__name__}{code}{where}"
