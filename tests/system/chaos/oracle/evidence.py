"""Input of the oracle, and its findings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["lost", "doubled", "other"]


class Finding(NamedTuple):
    """One fault: something is lost, doubled, or otherwise not as promised."""

    kind: Kind
    what: str


@dataclass(frozen=True)
class Evidence:
    """Addresses of the engines, Kafka's files, the folder of keys, and the driver's notes: how often an acknowledgement promised each
    event (short type, subject), commands without an answer, answers that no client may get, messages that arrived (Message-ID,
    recipient)."""

    kafka: str
    mongo: str
    logs: Path
    keys: Path
    programme: str
    promised: Counter[tuple[str, str]]
    unanswered: Sequence[str]
    broken: Sequence[str]
    messages: Sequence[tuple[str, str]]
