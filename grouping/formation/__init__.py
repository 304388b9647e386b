"""Who sits with whom, as a pure problem: data in, proposal out; no clock, no engine, nothing of the service.

Invariant: an answer breaks no hard rule, also when that leaves people unplaced; `check` judges it without sharing code with the search.
"""

from grouping.formation.checking import check, inherited
from grouping.formation.model import Answer, Problem
from grouping.formation.search import solve

__all__ = ["Answer", "Problem", "check", "inherited", "solve"]
