"""Enrolment owns who joins, with what consent, and who they are: the only service that knows a name.

Publishes: `ama.enrolment` (referred, consent changed, admitted, declined, withdrawn, erased), the profile that grouping matches on
(restricted), each person's key, wrapped for the services that may read, and contact cards of those who may be contacted.
Consumes: `member.joined` and `member.left`, so that a referrer sees what became of their own referrals.
"""
