"""What the oracle is given, and what it finds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["lost", "doubled", "other"]


class Finding(NamedTuple):
    """Something is missing, or there twice, or otherwise not as it was promised."""

    kind: Kind
    what: str


@dataclass(frozen=True)
class Evidence:
    """Addresses of the engines, Kafka's files, the folder of keys, and what the driver wrote down: how often each event (short
    type, subject) was promised by an acknowledgement, what was never answered, answers that no client may get, letters that arrived
    (Message-ID, recipient)."""

    kafka: str
    mongo: str
    logs: Path
    keys: Path
    programme: str
    promised: Counter[tuple[str, str]]
    unanswered: Sequence[str]
    broken: Sequence[str]
    letters: Sequence[tuple[str, str]]
