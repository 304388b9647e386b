"""The people of an open data set, played through the public interfaces of the services.

Imports programmes and settings. `cli` may import it.
Invariant: one HTTP request for each human act, with the token of the person who acts; no route exists for pilots alone.
"""
