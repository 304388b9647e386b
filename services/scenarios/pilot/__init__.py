"""Real people from an open data set, played through the public interfaces of the services.

Invariant: one request over TCP per human act, with the token of whoever acts; there is no route for pilots, and none in bulk.
"""
