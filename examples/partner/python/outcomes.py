"""Outcomes of our referrals: read from our feed into outcomes.db, and shown on a page of our own.

    python outcomes.py            read for ever, and serve the page at http://127.0.0.1:8080 (OUTCOMES_PORT names another port)
    python outcomes.py --help     lag, rebuild, dead letters

Rows name their `person`: when a person's consent is withdrawn or the person is erased, the kit deletes all rows about them.
"""

import os
from pathlib import Path

from page import serve

from services.consumer import Consumer, Projection, Sqlite, main, on
from services.contracts.feed import Admitted, Declined, Referred, Seated, Withdrew

STORE = Path(os.environ.get("OUTCOMES_STORE", "outcomes.db"))


class Outcomes(Projection):
    """One row per person, by our own pseudonym for them, with the day of each step."""

    name = "outcomes"
    indexes = ("referred", "admitted", "declined", "seated", "withdrew", "reason")

    @on(Referred)
    def referred(self, entry, rows):
        rows.set(entry.subject, person=entry.subject, referred=entry.data.on)

    @on(Admitted)
    def admitted(self, entry, rows):
        rows.set(entry.subject, person=entry.subject, admitted=entry.data.on)

    @on(Declined)
    def declined(self, entry, rows):
        rows.set(entry.subject, person=entry.subject, declined=entry.data.on)

    @on(Seated)
    def seated(self, entry, rows):
        rows.set(entry.subject, person=entry.subject, seated=entry.data.on)

    @on(Withdrew)
    def withdrew(self, entry, rows):
        rows.set(entry.subject, person=entry.subject, withdrew=entry.data.on, reason=entry.data.reason)


if __name__ == "__main__":
    main(Consumer(Outcomes(), Sqlite(STORE)), beside=lambda: serve(STORE, int(os.environ.get("OUTCOMES_PORT", "8080"))))
