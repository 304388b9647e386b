"""Programmes as data: TOML files with partners, sizes, slots, municipalities and survey waves.

Imports kernel, settings and contracts. Packages from `store` upwards, and rules of the rooms, may import it.
Invariant: a programme that loads is consistent in itself; a mistake is one sentence that names the file and the line.
"""

from services.programmes.days import in_intake, in_programme, meeting_days, since_start
from services.programmes.loading import load, load_all
from services.programmes.model import Municipality, Partner, Programme, Sizes, Slot, SurveyWave, distance_km

__all__ = [
    "Municipality", "Partner", "Programme", "Sizes", "Slot", "SurveyWave", "distance_km", "in_intake", "in_programme", "load", "load_all",
    "meeting_days", "since_start",
]  # fmt: skip
