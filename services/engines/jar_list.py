"""The jars that the embedded Kafka broker needs.

Invariant: `kafka-jars.txt` names every jar with the version that Maven resolves; another resolution mixes in older clients, and the
broker fails. One jar a line: `group:artifact:version size sha256`.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import NamedTuple

Report = Callable[[str, int, int], None]
"""The name of the download, the bytes done, the bytes in all."""


class Jar(NamedTuple):
    """One published file of a Maven repository."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The name of the file in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def listed() -> list[Jar]:
    """Return the jars that the broker needs."""
    jars = []
    for line in files("services.engines").joinpath("kafka-jars.txt").read_text().splitlines():
        coordinate, size, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars
