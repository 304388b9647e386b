"""A service, composed and running: `Service`, its consumers, its background tasks, its gauges and the `/ops` routes.

Imports every package below it in the order of `docs/architecture/README.md`, except `engines`. `operations`, `embedded`, `cli` and each
room's `app.py` may import it.
Invariant: nothing connects before `start`; a background task that ends by itself ends the service.
"""
