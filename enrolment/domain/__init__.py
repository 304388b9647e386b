"""A worker on the way into a group, and their consents (`worker`); somebody who asks to take part (`applicants`); their path to other
services (`catalogue`, `requests`), what became of them (`outcomes`), and what they complain of (`complaints`)."""

from enrolment.domain.applicants import Asking
from enrolment.domain.catalogue import OfferedService, is_expired
from enrolment.domain.complaints import Complaint, ComplaintStatus
from enrolment.domain.outcomes import Outcome
from enrolment.domain.requests import RequestStatus, ServiceRequest, Signposting
from enrolment.domain.worker import ADDRESSES, LASTS, Consent, Link, Recorder, Status, Worker, digest_of

__all__ = [
    "ADDRESSES", "LASTS", "Asking", "Complaint", "ComplaintStatus", "Consent", "Link", "OfferedService", "Outcome", "Recorder",
    "RequestStatus", "ServiceRequest", "Signposting", "Status", "Worker", "digest_of", "is_expired",
]  # fmt: skip
