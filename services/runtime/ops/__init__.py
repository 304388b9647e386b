"""Operation of one service over HTTP: its state and its dead letters, for the administrator.

Invariant: answers come from the service's own database and the bus, never from the process that answers, so that any copy of a
service gives the same answer.
"""

from services.runtime.ops.api import routes
from services.runtime.ops.ends import Ends

__all__ = ["Ends", "routes"]
