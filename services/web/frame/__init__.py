"""The frame of the site: layout, navigation, texts, forms, refusals as pages, parts of other services.

Packages from `runtime` upwards, and pages of the rooms, may import it. Invariant: one implementation of each pattern, so that five services
look and behave as one site.
"""

from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.frame import Frame
from services.web.frame.routing import page_router

__all__ = ["Field", "Filled", "Form", "Frame", "Kind", "page_router"]
