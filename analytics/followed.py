"""Counts of what became of people beside and after the groups: requests to other services, situations after the programme, complaints.

Invariant: of people who consent to taking part and to research alone, as the other counts; a complaint has no person behind it here.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.esf import Result, Told, after_six_months, results, upon_leaving
from services.contracts.paths import OutcomeMoment, Situation

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Redress:
    """Complaints. `late`: without an answer, past their last day."""

    received: int
    answered: int
    late: int


@dataclass(frozen=True, slots=True)
class Followed:
    """Counts of requests by the step that they have reached, of what their people said of the need, of people who were told of a service,
    of situations on leaving and six months after, and of participations that count for an indicator of the ESF+."""

    requests: int
    steps: Mapping[str, int]
    needs: Mapping[str, int]
    signposted: int
    leaving: Mapping[str, int]
    later: Mapping[str, int]
    esf: Mapping[str, int]


def redress(complaints: Sequence[Row], today: date) -> Redress:
    """Count complaints. Days are stored as their ISO text."""
    rows = [each for each in complaints if "due" in each]
    answered = sum("answered" in each for each in rows)
    late = sum("answered" not in each and each["due"] < today.isoformat() for each in rows)
    return Redress(len(rows), answered, late)


def followed(rows: Sequence[Row], consenting: Collection[str]) -> Followed:
    """Count the rows of the people who consent. Whoever came to the programme had lost their work: where nothing else is known of the
    entry, they looked for work then."""
    own = [each for each in rows if each["person"] in consenting]
    requests = [each for each in own if each.get("what") == "request"]
    told, left = defaultdict[str, list[Told]](list), dict[str, date]()
    for each in own:
        if each.get("what") == "outcome":
            day = date.fromisoformat(each["day"])
            told[each["person"]].append(Told(OutcomeMoment(each["moment"]), Situation(each["situation"]), day))
            left[each["person"]] = date.fromisoformat(each["left"])
    leaving = [upon_leaving(said, left[person]) for person, said in told.items()]
    later = [after_six_months(said) for said in told.values()]
    esf = Counter(each for person, said in told.items() for each in results(Situation.SEARCHING, said, left[person]))
    return Followed(
        requests=len(requests),
        steps=Counter(each.get("step", "requested") for each in requests),
        needs=Counter(each["need_met"] for each in requests if each.get("need_met")),
        signposted=len({each["person"] for each in own if each.get("what") == "signpost"}),
        leaving=Counter(each.value for each in leaving if each is not None),
        later=Counter(each.value for each in later if each is not None),
        esf={each.value: esf[each] for each in Result if each is not Result.JOB_SEARCH},
    )
