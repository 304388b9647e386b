"""Events of a partner's feed, `ama.feed.{partner}`: the progress of its own referrals, linkable to nothing else.

Here `subject` is the partner's own pseudonym of the person, `source` the feed, `sequence` the place in the ledger (over all subjects),
`time` a day at midnight UTC. No trace, correlation or cause.
"""

from services.contracts.base import Day, EventData
from services.contracts.enrolment import Leaving


class Entry(EventData):
    """An event of a feed; `on` is the day on which it happened."""

    topic = "ama.feed"
    readers = ("partner",)
    # A day, because an exact time could be linked to other records.
    on: Day


class Referred(Entry):
    """The partner's referral was received."""

    type = "it.amalavoro.feed.worker.referred.v1"


class Admitted(Entry):
    """The welcome interview ended in admission."""

    type = "it.amalavoro.feed.worker.admitted.v1"


class Declined(Entry):
    """The worker was not admitted, or did not want to be."""

    type = "it.amalavoro.feed.worker.declined.v1"


class Seated(Entry):
    """The worker has a seat in a group from that day. Neither the group nor the attendance is in it."""

    type = "it.amalavoro.feed.worker.seated.v1"


class Withdrew(Entry):
    """The worker left the programme. `reason` is found-work or other; a partner learns no other reason."""

    type = "it.amalavoro.feed.worker.withdrew.v1"
    reason: Leaving


class ConsentWithdrawn(Entry):
    """The worker withdrew the consent to this feed: nothing more follows, and what the partner received is to be deleted."""

    type = "it.amalavoro.feed.consent.withdrawn.v1"


class Erased(Entry):
    """The person was erased: what the partner received about this pseudonym is to be deleted."""

    type = "it.amalavoro.feed.worker.erased.v1"


class Withheld(Entry):
    """Consent was withdrawn between writing and delivery: the place in the ledger stays, without content (the subject is "-")."""

    type = "it.amalavoro.feed.entry.withheld.v1"
