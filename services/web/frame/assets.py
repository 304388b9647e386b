"""Files of Bootstrap Italia and htmx that the site's pages use, in `static/vendor`.

Invariant: they are those of the npm packages that `ops/assets/package-lock.json` names, byte for byte; of the stylesheet the rules that
pages use, unchanged and in their order. They are kept with the sources, so that neither an installation nor an image needs npm;
`ops/assets.py` makes them anew after a change of the versions, or when a template uses a class that is new.
"""

import re
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"
FONTS = "bootstrap-italia/dist/fonts/Titillium_Web/titillium-web-v10-latin-ext_latin-"
SUBSET = "bootstrap-italia.css"  # rules of the stylesheet, not the whole of it
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
    """Names of the files that are not those of the npm packages in this `node_modules` folder, or not rules of theirs."""
    whole = {name: where for name, where in WANTED.items() if name != SUBSET}
    found = [name for name, where in whole.items() if (VENDOR / name).read_bytes() != (packages / where).read_bytes()]
    return found if _declares_the_same(packages / WANTED[SUBSET]) else [*found, SUBSET]


def classes_of(stylesheet: str) -> set[str]:
    """Names of the classes that the selectors of a stylesheet name."""
    selectors = (each.rpartition("}")[2] for each in re.split(r"\{", _plain(stylesheet))[:-1])
    return {name for each in selectors for name in re.findall(r"\.(-?[A-Za-z_][\w-]*)", each)}


def _declares_the_same(stylesheet: Path) -> bool:
    """True when every block of declarations of the subset is one of the whole stylesheet."""
    whole = set(_blocks(stylesheet.read_text()))
    return all(each in whole for each in _blocks((VENDOR / SUBSET).read_text()) if each)


def _blocks(stylesheet: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", _plain(stylesheet))


def _plain(stylesheet: str) -> str:
    # Pictures in addresses have braces of their own, and comments anything.
    return re.sub(r"/\*.*?\*/", "", re.sub(r"url\((\"[^\"]*\"|'[^']*'|[^)]*)\)", "url()", stylesheet), flags=re.DOTALL)
