"""The data folder of a system on one machine: nobody but its user can put anything into it.

Invariant: the folder, `keys` in it and every key file belong to the user who starts the system, and nobody else may write them. Otherwise
another user of the machine could have left keys there, or files that get passwords.
"""

import os
import stat
from pathlib import Path
from tempfile import TemporaryFile

from services.settings import Misconfigured

OTHERS_WRITE = 0o022


def claim(data: Path) -> None:
    """Make the folder if there is none, closed to others. Misconfigured when it cannot be one, or when it, or a key in it, is not this
    user's alone."""
    _make(data)
    _check(data)
    keys = data / "keys"
    if keys.is_symlink() or keys.exists():
        _check(keys)
        for each in keys.iterdir() if keys.is_dir() else ():
            _check(each)


def _make(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Not by its mode: a file system that is mounted to be read only refuses root as well.
        with TemporaryFile(dir=data):
            pass
    except FileExistsError as error:
        raise Misconfigured(f"{data} is a file: name a folder with --data.") from error
    except OSError as error:
        raise Misconfigured(
            f"{data} cannot be made, or not be written ({error.strerror}): name another folder with --data."
        ) from error


def _check(path: Path) -> None:
    # A link as well as its end: whoever may change the link chooses what is read.
    found = (path.lstat(), path.stat()) if path.exists() else (path.lstat(),)
    if any(each.st_uid != os.geteuid() for each in found):
        raise Misconfigured(f"{path} belongs to another user of this machine: name a folder of your own with --data.")
    if not stat.S_ISLNK(found[-1].st_mode) and found[-1].st_mode & OTHERS_WRITE:
        raise Misconfigured(f"{path} can be changed by other users of this machine: name another folder with --data.")
