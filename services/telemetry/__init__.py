"""What is seen from outside: log lines, traces, metrics. Ids only, never what was said of anybody.

Invariant: nothing here is global but the log's format; each service has its own tracer and its own registry.
"""

from services.telemetry.logs import log_as_json
from services.telemetry.metrics import Metrics, serving_metrics
from services.telemetry.traces import Telemetry

__all__ = ["Metrics", "Telemetry", "log_as_json", "serving_metrics"]
