"""The `/ops` routes of a service: its state and its dead letters.

Imports the store, events, identity and `web`. `runtime` alone may import it.
Invariant: an answer comes from the service's database and the bus, never from the process, so that every copy answers the same.
"""

from services.runtime.ops.api import routes
from services.runtime.ops.ends import Ends

__all__ = ["Ends", "routes"]
