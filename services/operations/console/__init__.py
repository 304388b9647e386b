"""The page for the operator of the system: how the services stand, live; dead letters, looked at and dealt with; the thread's funnel.

Invariants: it reaches the services by their addresses alone and acts with the token of who is signed in, so that the services decide what
they may; it keeps nothing but who is signed in; nothing runs or styles the page but what this folder serves.
"""
