"""`python ops/assets.py`: copies the site's files of Bootstrap Italia and htmx from their npm packages into `static/vendor`.

Run `npm ci --prefix ops/assets` first (`make lock` does both). Invariant: no script of a package is run (`ops/assets/.npmrc`).
"""

import shutil
from pathlib import Path

from services.web.frame.assets import VENDOR, WANTED

PACKAGES = Path(__file__).parent / "assets" / "node_modules"

if __name__ == "__main__":
    for name, where in WANTED.items():
        shutil.copyfile(PACKAGES / where, VENDOR / name)
