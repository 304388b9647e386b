"""Callers: bearer tokens, roles, issuer keys, OIDC client, limits of attempts, our own issuer.

Imports kernel, settings, vault and store. Packages from `web` upwards, and the routes of the rooms, may import it.
Invariant: a route has a caller with a role and a programme, or says in its code why it is open.
"""
