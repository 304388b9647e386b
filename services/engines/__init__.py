"""Apache Kafka and MongoDB as child processes, from Python packages alone: no Docker, Java or Maven.

`with Embedded(Path(".ama")) as engines:` starts both on loopback and returns their addresses; `acl` gives Kafka's users
their rights; `progress.bar` shows the first download. Invariant: an engine ends with the process that started it.
"""

from services.engines.embedded import Embedded, Engines
from services.engines.errors import DataHeld, EngineError, FetchFailed, LibraryMissing
from services.engines.kafka import Sasl

__all__ = ["DataHeld", "Embedded", "EngineError", "Engines", "FetchFailed", "LibraryMissing", "Sasl"]
