"""What a cluster needs before the services stand on it: topics, and for each service users of its own with exactly its rights.

Invariant: rights are derived from the catalogue of topics, nowhere written down; all of it can be run again, on what is there.
"""
