"""Registers of the places where groups can meet and of the facilitators who can lead them."""
