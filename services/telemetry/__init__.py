"""Log lines, traces and metrics. They hold ids, never the data of a person.

Invariant: nothing here is global but the format of the log; each service has its own tracer and its own registry.
"""

from services.telemetry.logs import log_as_json
from services.telemetry.metrics import Metrics, serving_metrics
from services.telemetry.traces import Telemetry

__all__ = ["Metrics", "Telemetry", "log_as_json", "serving_metrics"]
