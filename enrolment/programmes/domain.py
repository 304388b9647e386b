"""A programme as it was published last.

Invariant: each version is one event with all of it, so that the event alone brings the state back.
"""

from typing import ClassVar

from services.contracts.programmes import ProgrammePublished
from services.kernel import Aggregate, applies


class PublishedProgramme(Aggregate):
    """One programme; its id is the programme's. `content` None: never published."""

    noun: ClassVar[str] = "programme"
    content: ProgrammePublished | None = None

    @property
    def version(self) -> int:
        """The number of the version in force; 0 when there is none."""
        return self.content.version if self.content is not None else 0

    def publish(self, content: ProgrammePublished) -> None:
        """Publish the next version."""
        self.says(content)

    @applies(ProgrammePublished)
    def _published(self, content: ProgrammePublished) -> None:
        # After a restore an older event may come behind a newer one that this database has made since.
        if content.version > self.version:
            self.content = content
