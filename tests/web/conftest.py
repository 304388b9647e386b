"""The specimen service and its issuer, served for these tests."""

from tests.helpers.specimen_served import client, issuer, operator

__all__ = ["client", "issuer", "operator"]
