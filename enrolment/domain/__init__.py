"""A worker: their way (`way`), other records of the same person (`twins`), card and consents (`worker`). Somebody who asks to take part
(`applicants`). The path to other services (`catalogue`, `requests`), what became of workers (`outcomes`), complaints (`complaints`)."""

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
