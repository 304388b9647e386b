"""Programmes as data: TOML files that a province writes and loads, with partners, sizes, cadence, slots, municipalities and survey waves.

Invariant: a programme that loads is consistent in itself; a mistake is one sentence that names the file and the line.
"""

from services.programmes.loading import load, load_all
from services.programmes.model import Municipality, Partner, Programme, Sizes, Slot, SurveyWave, distance_km

__all__ = ["Municipality", "Partner", "Programme", "Sizes", "Slot", "SurveyWave", "distance_km", "load", "load_all"]
