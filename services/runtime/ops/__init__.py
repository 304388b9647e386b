"""What the operator of the system may see and do of one service: how it stands, and its dead letters.

Invariant: what is told comes from the service's own database and the bus, never from the process that answers, so that any copy of a
service tells the same.
"""

from services.runtime.ops.api import routes
from services.runtime.ops.ends import Ends

__all__ = ["Ends", "routes"]
