"""Notifications owns what is told to whom: messages to people, and each partner's ledger of what it may know.

Publishes: `ama.notifications` (message sent, message failed: never to which address, nor what it said), and `ama.feed.{partner}`,
what became of that partner's own referrals, linkable to nothing else.
Consumes: from enrolment who was referred, admitted, declined, withdrew, consents and was erased; from grouping places, groups and
who sits in them; and the compacted tables of people's keys and contact cards.
"""
