"""Lines that an engine wrote since it was started, for the sentence about its end.

Invariant: nothing that an earlier start wrote is quoted.
"""

from pathlib import Path


def end_of(log: Path) -> int:
    """The size of a log now, in bytes; 0 without one."""
    return log.stat().st_size if log.exists() else 0


def written_since(log: Path, begun: int) -> str:
    """The text that was written to a log beyond this size. All of it, when a new file has taken its place."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(begun if begun <= end_of(log) else 0)
        return file.read().decode(errors="replace")


def last_line(text: str) -> str:
    """The last line that holds something."""
    return (text.strip().splitlines() or ["no output"])[-1]
