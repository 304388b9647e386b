"""`python -m bench.formation.child PROBLEM SEED SECONDS`: solves one problem in a process of its own, so that its memory can be measured.

Prints one JSON object: the answer, the seconds of `solve` on the wall clock and on a core, and the most memory that it held.
"""

import json
import resource
import sys
import time
from pathlib import Path

from grouping.formation import Problem, solve


def main(problem: Path, seed: int, seconds: float) -> None:
    """Solve the problem and print the result with its cost."""
    asked = Problem.model_validate_json(problem.read_bytes())
    began, worked = time.perf_counter(), time.process_time()
    answer = solve(asked, seed, seconds=seconds)
    took, busy = time.perf_counter() - began, time.process_time() - worked
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KB
    sys.stdout.write(
        json.dumps({"answer": answer.model_dump(mode="json"), "seconds": took, "busy": busy, "megabytes": held})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
