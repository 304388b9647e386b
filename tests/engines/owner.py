"""A process that owns engines until its input ends: `python -m tests.engines.owner DATA [secure]`. It prints one JSON
line when they serve.
"""

import json
import sys
from pathlib import Path

from services.engines import Embedded

if __name__ == "__main__":
    with Embedded(Path(sys.argv[1]), secure="secure" in sys.argv[2:]) as engines:
        print(json.dumps({"kafka": engines.kafka, "mongo": engines.mongo}), flush=True)
        sys.stdin.read()
