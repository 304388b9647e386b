"""Grouping owns the pool of people who wait, places and facilitators, and the groups with their dated membership.

Publishes: `ama.grouping` (waitlisted, unlisted, place and facilitator registered, group formed, facilitator assigned, member joined and
left). Also `ama.grouping.restricted` (pairs who are to sit apart or together), which grouping alone reads, and only after a restore.
Consumes: from enrolment admissions, withdrawals, consents and erasures, and, restricted, the profiles that people are matched on.

Capabilities: `registers` (places and facilitators), `proposals` (groups that could be formed), `membership` (groups and seats) and
`pairs` (wishes for two people). `formation` is the engine that proposes; it knows nothing of the service.
"""
