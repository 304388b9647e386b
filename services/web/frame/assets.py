"""Files of Bootstrap Italia and htmx that the site's pages use, in `static/vendor`.

Invariant: they are those of the npm packages that `ops/assets/package-lock.json` names, byte for byte. They are kept with the sources, so
that neither an installation nor an image needs npm; `ops/assets.py` copies them anew after a change of the versions.
"""

from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"
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


def differing(packages: Path) -> list[str]:
    """Names of the files that are not those of the npm packages in this `node_modules` folder."""
    return [name for name, where in WANTED.items() if (VENDOR / name).read_bytes() != (packages / where).read_bytes()]
