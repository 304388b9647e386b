"""Grouping owns who sits with whom: the pool of those who wait, places and facilitators, the groups and their dated membership.

Publishes: `ama.grouping` (waitlisted, unlisted, place and facilitator registered, group formed, facilitator assigned, member joined
and left); `ama.grouping.restricted` (who is to sit apart or together), which nobody else reads, and it only after a restore.
Consumes: from enrolment who was admitted, withdrew, consents and was erased, and, restricted, what to match on.
"""
