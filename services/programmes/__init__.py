"""Programmes as data: TOML files with partners, sizes, slots, municipalities and survey waves, and the versions that are published.

Imports kernel, settings and contracts. Packages from `store` upwards, and rules of the rooms, may import it.
Invariant: a programme that loads is consistent in itself; a mistake is one sentence that names the file and the line. What was in a
programme once stays in it.
"""

from services.programmes.applying import applied, brings_partners, sent_file
from services.programmes.changes import Difference, differences, following
from services.programmes.days import in_intake, in_programme, meeting_days, since_start
from services.programmes.knowledge import agreed_with, may_know
from services.programmes.loading import (
    LARGEST,
    ProgrammeFile,
    load,
    load_all,
    read_all,
    read_file,
    read_text,
    refuse_partners_of_others,
)
from services.programmes.model import Municipality, Partner, Programme, Sizes, Slot, SurveyWave, distance_km
from services.programmes.naming import refuse_unless_active
from services.programmes.publishing import programme_of, published
from services.programmes.served import ServedProgrammes
from services.programmes.uses import Uses, counted_uses
from services.programmes.wording import worded

__all__ = [
    "LARGEST", "Difference", "Municipality", "Partner", "Programme", "ProgrammeFile", "ServedProgrammes", "Sizes", "Slot",
    "SurveyWave", "Uses", "agreed_with", "applied", "brings_partners", "counted_uses", "differences", "distance_km", "following",
    "in_intake", "in_programme", "load", "load_all", "may_know", "meeting_days", "programme_of", "published", "read_all", "read_file",
    "read_text", "refuse_partners_of_others", "refuse_unless_active", "sent_file", "since_start", "worded",
]  # fmt: skip
