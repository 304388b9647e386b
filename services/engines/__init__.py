"""Apache Kafka and MongoDB as child processes, started from packages without Docker or Java.

Imports nothing else of ours. `operations`, `embedded` and `cli` may import it.
Invariant: an engine ends with the process that started it, and two processes cannot hold one data folder.
"""

from services.engines.embedded import Embedded, Engines
from services.engines.errors import DataHeld, EngineError, FetchFailed, LibraryMissing
from services.engines.kafka import Sasl

__all__ = ["DataHeld", "Embedded", "EngineError", "Engines", "FetchFailed", "LibraryMissing", "Sasl"]
