"""A worker: the steps of their way (`way`), other records of the same person (`twins`), and their consents, card and links (`worker`)."""

from enrolment.domain.twins import Merging, Twin, refuse_merge
from enrolment.domain.way import ENDED, ENROLLED, OPEN, Booking, Status
from enrolment.domain.worker import ADDRESSES, LASTS, WHY, Act, Consent, Link, Worker, digest_of

__all__ = [
    "ADDRESSES", "ENDED", "ENROLLED", "LASTS", "OPEN", "WHY", "Act", "Booking", "Consent", "Link", "Merging", "Status", "Twin", "Worker",
    "digest_of", "refuse_merge",
]  # fmt: skip
