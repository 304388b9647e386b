"""Sessions owns the life of a group: its calendar, the roll-call of each meeting, and the survey waves of everybody admitted.

Publishes: `ama.sessions` (session scheduled and held, with counts; survey invited and submitted, without answers) and, restricted,
the attendance of each person and the scores of surveys.
Consumes: `group.formed`, `group.concluded`, `facilitator.assigned`, `member.joined`, `member.left`; `worker.admitted`,
`consent.changed` (research), `worker.withdrawn`, `worker.erased`; and each person's key, under which answers are sealed.
"""
