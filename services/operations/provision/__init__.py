"""Topics, users and rights on a cluster, made before the services start.

Imports contracts, engines, events, runtime and the store. `embedded` and `cli` may import it.
Invariant: rights are derived from the catalogue of topics and written down nowhere else; all of it can be run again.
"""
