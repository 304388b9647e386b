"""`make chaos ARGS="--kills N --seed S"`: a long campaign. Prints each fault with its time, and one closing line."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.system.chaos.breaches import BREACHES
from tests.system.chaos.campaign import Plan, campaign

SHOWN = 40  # findings


def main() -> int:
    """Exit status: 0 when the oracle found nothing."""
    given = _arguments()
    plan = Plan(given.seed, given.kills, given.commands or max(2000, 8 * given.kills), breach=given.breach)
    folder = Path(tempfile.mkdtemp(prefix="ama-chaos-"))
    try:
        outcome = asyncio.run(campaign(plan, folder, lambda line: print(line, flush=True)))
    finally:
        if given.keep:
            print(f"data and logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for finding in outcome.findings[:SHOWN]:
        print(f"{finding.kind}: {finding.what}")
    print(outcome.closing)
    return 1 if outcome.findings else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="faults that take effect: SIGKILL or SIGSTOP")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commands", type=int, help="at least so many are acknowledged; 2,000, or 8 for each fault")
    parser.add_argument(
        "--breach", choices=sorted(BREACHES), help="break this guarantee in every process: must be found"
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder with data and logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
