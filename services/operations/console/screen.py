"""The site of the console: its templates and texts."""

from functools import lru_cache

from services.operations.console.wording import LANGUAGES, WORDS
from services.web.frame.static import STATIC
from services.web.site import Site

__all__ = ["STATIC", "site"]


@lru_cache(maxsize=1)
def site() -> Site:
    """Give one site to all requests, since reading templates takes time."""
    return Site("services.operations.console", LANGUAGES, WORDS)
