"""A service, composed and running: `Service`, its consumers, its background tasks, its gauges and the `/ops` routes.

It imports every package above it in `docs/architecture/`. `operations`, `embedded`, `cli` and each room's `app.py` may import it.
Invariant: nothing connects before `start`; a background task that ends by itself ends the service.
"""
