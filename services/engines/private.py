"""Files that only the owner of the data folder may read."""

import os
from collections.abc import Callable
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Write so that a crash leaves the old file or the new one, readable by the owner alone."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    # O_EXCL: the mode of `open` counts only for a file that it makes.
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def kept(path: Path, make: Callable[[], str]) -> str:
    """The text of a private file, made first if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, make())
    return path.read_text()
