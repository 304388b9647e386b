"""The page for the operator of the system: the live state of the services, dead letters to read and resolve, and the programme's funnel.

Invariants: it reaches the services by their addresses alone, with the token of the person who is signed in, so that the services decide
what that person may do. It keeps nothing but web sessions. Only files of this folder run in the page or style it.
"""
