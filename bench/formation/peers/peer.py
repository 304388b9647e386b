"""One peer on one CSV: `python peer.py NAME CSV GROUPS SECONDS`. Runs in the peers' own environment, with nothing of this project.

The CSV has one row per person and one column per attribute, ordinal ones as numbers. Prints `{"groups": [number per row], "seconds": …}`.
Each peer is called as its own documentation shows; a peer without a time limit is ended from outside.
"""

import json
import sys
import time

import pandas as pd


def clusters(algorithm: str, people: pd.DataFrame, groups: int) -> list[int]:
    """anti-clustering: Euclidean distance of numbers plus the share of categories that differ."""
    import anti_clustering

    numbers = [name for name in people if pd.api.types.is_numeric_dtype(people[name])]
    found = getattr(anti_clustering, algorithm)(random_seed=0).run(
        df=people,
        numerical_columns=numbers,
        categorical_columns=[name for name in people if name not in numbers],
        num_groups=groups,
        destination_column="group",
    )
    return found["group"].tolist()


def teams(people: pd.DataFrame, groups: int, seconds: float) -> list[int]:
    """team-formation: each attribute in each team as it is among all."""
    from team_formation.team_assignment import TeamAssignment

    wanted = pd.DataFrame({"attribute": list(people), "type": "diversify", "weight": 1})
    found = TeamAssignment(people.astype(str), wanted, len(people) // groups)
    found.solve(max_time_in_seconds=seconds)
    return found.participants["team_num"].tolist()


PEERS = {
    "anti-clustering exchange": lambda people, groups, _: clusters("ExchangeHeuristicAntiClustering", people, groups),
    "anti-clustering annealing": lambda people, groups, _: clusters(
        "SimulatedAnnealingHeuristicAntiClustering", people, groups
    ),
    "anti-clustering tabu": lambda people, groups, _: clusters("TabuSearchHeuristicAntiClustering", people, groups),
    "team-formation": teams,
}

if __name__ == "__main__":
    name, path, groups, seconds = sys.argv[1:]
    table = pd.read_csv(path)
    began = time.perf_counter()
    chosen = PEERS[name](table, int(groups), float(seconds))
    sys.stdout.write("\n" + json.dumps({"groups": chosen, "seconds": time.perf_counter() - began}))
