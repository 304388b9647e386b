"""Steps of the set-up: `python -m services.engines jars` fetches Kafka, `… system` installs libraries of MongoDB."""

import sys

from services.engines import jars, system
from services.engines.errors import FetchFailed, LibraryMissing


def _fetch() -> None:
    """Fetch Kafka's jars, with a line for each tenth."""
    told = -1

    def report(what: str, done: int, total: int) -> None:
        nonlocal told
        if (tenth := 10 * done // total) > told:
            told = tenth
            sys.stdout.write(f"{what}: {done / 1e6:.0f} of {total / 1e6:.0f} MB\n")
            sys.stdout.flush()

    jars.ready(report)


if __name__ == "__main__":
    try:
        {"jars": _fetch, "system": system.install}[sys.argv[1]]()
    except (FetchFailed, LibraryMissing) as error:
        sys.exit(str(error))
