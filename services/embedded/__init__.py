"""Everything on one machine: engines, mail catcher, the site and the five services in one process.

Imports every package below it. `scenarios` and `cli` may import it.
Invariant: a service cannot tell that it runs here; `build(settings)` is the same everywhere.
"""
