"""The folder of compiled loops, and whether it holds all of them.

Invariant: the folder is named after the hash of all sources of the engine, since numba does not notice a change of a called function in
another file. A folder that cannot be written costs time and never the start: the user's cache is used then, and begins as a copy of that
folder. numba is not loaded here.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
COMPLETE = "complete"  # the file that says so


def folder() -> Path:
    """The cache folder: below `NUMBA_CACHE_DIR` if that is set, else beside the sources."""
    kept, own = _places()
    if _writable(kept):
        return kept
    if not _writable(own):
        own = Path(tempfile.mkdtemp())
    if kept.is_dir() and not any(own.iterdir()):
        shutil.copytree(kept, own, dirs_exist_ok=True)
    return own


def is_complete() -> bool:
    """True when every loop was compiled into the folder."""
    return any((place / COMPLETE).exists() for place in _places())


def set_complete() -> None:
    """Say that every loop was compiled into the folder."""
    (folder() / COMPLETE).touch()


def _places() -> tuple[Path, Path]:
    """The folder of this version of the sources, and the one in the user's cache for where the first cannot be written."""
    sources = b"".join(each.read_bytes() for each in sorted(HERE.glob("*.py")))
    name = hashlib.sha256(sources).hexdigest()[:16]
    kept = Path(os.environ.get("NUMBA_CACHE_DIR") or HERE / "__pycache__")
    return kept / name, Path.home() / ".cache" / "ama-lavoro" / name


def _writable(folder: Path) -> bool:
    """Make the folder if it is missing; False when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
