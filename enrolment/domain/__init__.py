"""A worker on the way into a group, and the consents that they give (`worker`)."""

from enrolment.domain.worker import ADDRESSES, LASTS, Consent, Link, Recorder, Status, Worker, digest_of

__all__ = ["ADDRESSES", "LASTS", "Consent", "Link", "Recorder", "Status", "Worker", "digest_of"]
