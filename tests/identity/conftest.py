"""The specimen service and its issuer, as `tests/web` has them."""

from tests.web.conftest import client, issuer, operator

__all__ = ["client", "issuer", "operator"]
