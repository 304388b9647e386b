"""The chassis: the packages that each of the five services stands on.

The services may import it; it imports none of them. `docs/architecture/README.md` has the packages and their order.
Invariant: a package imports only packages below it in that order.
"""
