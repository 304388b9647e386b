"""Callers: bearer tokens, roles, issuer keys, OIDC client, web sessions, embedded issuer.

Imports kernel, settings and vault. Packages from `web` upwards, and the routes of the rooms, may import it.
Invariant: a route has a caller with a role and a programme, or says in its code why it is open.
"""
