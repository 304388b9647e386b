"""Sentences for the refusals of the chassis, by their codes, and the headings of the pages that show a refusal.

Invariant: a code without a sentence is shown by the sentence of its status, so a page never shows a code alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from services.web.frame.texts import N_

SENTENCES: Mapping[str, str] = {
    "not-authenticated": N_("This page is for people who have signed in. The access may have ended: sign in again."),
    "not-allowed": N_("The role with which you signed in may not do this."),
    "not-yours": N_("This belongs to somebody else."),
    "no-partner": N_(
        "The account does not say for which organisation it acts. Whoever manages the accounts can add it."
    ),
    "no-such-programme": N_("The account is for a programme that is not managed here."),
    "no-such-link": N_("This link is not valid any more. It may have expired, or a newer one was sent."),
    "changed-meanwhile": N_(
        "Somebody else has changed this in the meantime. Nothing of yours was saved: look at it again."
    ),
    "erased": N_("The data of this person were deleted, at their request."),
    "key-reused": N_("This form was already sent, with other answers. Start again from an empty one."),
    "out-of-order": N_("The date does not fit with the steps before it. Check the dates."),
    "too-large": N_("What was sent is too large."),
    "malformed": N_("Part of the request cannot be read. Nothing was changed."),
    "malformed-header": N_("Part of the request cannot be read. Nothing was changed."),
    "invalid": N_("The address or the form has something that cannot be right. Nothing was changed."),
    "not-found": N_("There is no page at this address. It may have been moved, or the address was typed wrongly."),
    "method-not-allowed": N_("This address does not take what was sent. Nothing was changed."),
    "unavailable": N_("The service does not answer at this moment. It is not your mistake."),
    "defect": N_("Something went wrong here, and has been written down. It is not your mistake."),
}


class Page(NamedTuple):
    """The page of one status: heading, the sentence without a better one, and what to do next."""

    heading: str
    sentence: str
    next: str


PAGES: Mapping[int, Page] = {
    401: Page(N_("Sign in to continue"), SENTENCES["not-authenticated"], N_("Sign in, then open the page again.")),
    403: Page(
        N_("Not possible with this role"),
        SENTENCES["not-allowed"],
        N_("If you have another role, choose it. Otherwise ask whoever gave you the account."),
    ),
    404: Page(
        N_("Page not found"),
        SENTENCES["not-found"],
        N_("Go back, or start again from your first page."),
    ),
    409: Page(
        N_("This cannot be done now"),
        N_("A rule of the service does not allow it as things stand. Nothing was changed."),
        N_("Go back and look at the page again: something may have changed since you opened it."),
    ),
    410: Page(N_("The data are not here any more"), SENTENCES["erased"], N_("Nothing needs to be done.")),
    412: Page(N_("Changed in the meantime"), SENTENCES["changed-meanwhile"], N_("Go back and load the page again.")),
    413: Page(N_("Too large"), SENTENCES["too-large"], N_("Go back and send less at once.")),
    422: Page(N_("Something is not right"), SENTENCES["invalid"], N_("Go back and check what was written.")),
    500: Page(
        N_("Something went wrong"),
        SENTENCES["defect"],
        N_("Try again. If it happens again, tell whoever manages the system."),
    ),
    503: Page(
        N_("The service does not answer now"),
        SENTENCES["unavailable"],
        N_("Wait a moment, then load the page again."),
    ),
}
_LIKE = {400: 422, 405: 404, 415: 422, 429: 503, 502: 503, 504: 503}


def page_of(status: int) -> Page:
    """Return the page of a status; of one that is not in the list, that of the status most like it."""
    return PAGES.get(_LIKE.get(status, status)) or PAGES[500 if status >= 500 else 409]
