"""A worker on the way into a group, and the consents that they give (`worker`); somebody who asks to take part (`asking`)."""

from enrolment.domain.asking import Asking
from enrolment.domain.worker import ADDRESSES, LASTS, Consent, Link, Status, Worker, digest_of

__all__ = ["ADDRESSES", "LASTS", "Asking", "Consent", "Link", "Status", "Worker", "digest_of"]
