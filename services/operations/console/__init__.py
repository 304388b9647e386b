"""The operator's page: state of the services, dead letters, funnel of the programme.

Imports `identity`, `web`, contracts and settings; no engine. `embedded` and `cli` may import it.
Invariants: it calls the services by their addresses with the token of the person who is signed in, so that the services decide on rights;
it stores nothing but web sessions; the page loads scripts and styles from this folder alone.
"""
