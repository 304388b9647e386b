"""Log lines, traces and metrics. They hold ids, never data about a person.

Imports kernel, contracts and settings. Packages from `store` upwards may import it.
Invariant: only the format of the log is global; each service has its own tracer and its own registry.
"""

from services.telemetry.logs import log_as_json
from services.telemetry.metrics import Metrics, together
from services.telemetry.traces import Telemetry

__all__ = ["Metrics", "Telemetry", "log_as_json", "together"]
