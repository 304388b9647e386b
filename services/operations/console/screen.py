"""The console in the frame of the site."""

from services.web.frame import Frame

FRAME = Frame("services.operations.console")
