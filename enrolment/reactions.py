"""Enrolment acts on nobody else's events yet: its desk only shows them."""

from services.consumer import Reactions

reactions = Reactions()
