"""Notifications owns messages to people, and a ledger for each partner with the history of its own referrals.

Publishes: `ama.notifications` (message sent, message failed; no address and no text), and `ama.feed.{partner}`, the ledger of that
partner, whose records are linkable to nothing else.
Consumes: from enrolment referrals, admissions, refusals, withdrawals, consents and erasures; from grouping places and the
members of groups; from sessions the meetings that are scheduled; and the compacted tables of people's keys and contact cards.
"""
