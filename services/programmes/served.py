"""The programmes that a service serves, by id, as they are in force now.

Invariant: nothing leaves, and a version is replaced as a whole, so that a loop over the programmes may wait within.
"""

from collections.abc import Iterator, Mapping

from services.programmes.model import Programme


class ServedProgrammes(Mapping[str, Programme]):
    """A mapping that grows and follows what is published. `only`: the ids that are served; None: all."""

    def __init__(self, programmes: Mapping[str, Programme], only: frozenset[str] | None = None) -> None:
        self._programmes, self._only = dict(programmes), only

    def follow(self, published: Mapping[str, Programme]) -> None:
        """Replace these programmes, and add those that are new."""
        wanted = {id: each for id, each in published.items() if self._only is None or id in self._only}
        # A new dictionary: whoever iterates over the old one goes on with it.
        self._programmes = self._programmes | wanted

    def __getitem__(self, id: str) -> Programme:
        return self._programmes[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._programmes)

    def __len__(self) -> int:
        return len(self._programmes)
