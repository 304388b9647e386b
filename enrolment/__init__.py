"""Enrolment owns referrals, admissions, consents and identity. No other service stores a name.

Publishes: `ama.enrolment` (referred, consent changed, corrected, admitted, declined, withdrawn, erased); restricted: the profile by which
grouping matches; each person's key, wrapped for the services that may read; contact cards of those who consent to contact.
Consumes: `worker.waitlisted`, `member.joined` and `member.left`, so that referrers and operators see how far somebody has come;
`facilitator.assigned`, so that whoever leads a group gets the names of its members.
"""
