"""A worker: the steps of their way (`way`), other records of the same person (`twins`), their consents and card (`worker`); somebody who
asks to take part (`applicants`); the path of workers to other services (`catalogue`, `requests`), what became of them (`outcomes`), and what
they complain of (`complaints`)."""

from enrolment.domain.applicants import Asking
from enrolment.domain.catalogue import OfferedService, is_expired
from enrolment.domain.complaints import Complaint, ComplaintStatus
from enrolment.domain.outcomes import Outcome
from enrolment.domain.requests import RequestStatus, ServiceRequest, Signposting
from enrolment.domain.twins import Merging, Twin, refuse_merge
from enrolment.domain.way import ENDED, ENROLLED, OPEN, Booking, Status
from enrolment.domain.worker import ADDRESSES, LASTS, WHY, Act, Consent, Link, Recorder, Worker, digest_of

__all__ = [
    "ADDRESSES", "ENDED", "ENROLLED", "LASTS", "OPEN", "WHY", "Act", "Asking", "Booking", "Complaint", "ComplaintStatus", "Consent",
    "Link", "Merging", "OfferedService", "Outcome", "Recorder", "RequestStatus", "ServiceRequest", "Signposting", "Status", "Twin",
    "Worker", "digest_of", "is_expired", "refuse_merge",
]  # fmt: skip
