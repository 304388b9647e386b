"""A programme as it was published last.

Invariant: each version is one event with all of it, so that the event alone brings the state back.
"""

from typing import ClassVar

from services.contracts.programmes import ProgrammePublished
from services.kernel import Aggregate, applies

MOST = 1_000  # digests of files that are kept


class PublishedProgramme(Aggregate):
    """One programme; its id is the programme's. `content` None: never published.

    `files`: digests of the files that were published; `file`: that of the version in force. `from_folder`: a start published it.
    All three are lost with the database, since no event has them. Then a file of the folder counts as new, and refuses no start.
    """

    noun: ClassVar[str] = "programme"
    content: ProgrammePublished | None = None
    files: tuple[str, ...] = ()
    file: str = ""
    from_folder: bool = False

    @property
    def version(self) -> int:
        """The number of the version in force; 0 when there is none."""
        return self.content.version if self.content is not None else 0

    def publish(self, content: ProgrammePublished, file: str = "", *, from_folder: bool = False) -> None:
        """Publish the next version. `file`: the digest of its file."""
        self.says(content)
        self.files = (*(each for each in self.files if each != file), file)[-MOST:]
        self.file, self.from_folder = file, from_folder

    def is_outdated(self, file: str) -> bool:
        """Tell if a start has to leave this file alone: an earlier version of it was published, and an administrator's after it."""
        return not self.from_folder and file != self.file and file in self.files

    @applies(ProgrammePublished)
    def _published(self, content: ProgrammePublished) -> None:
        # After a restore an older event may come behind a newer one that this database has made since.
        if content.version > self.version:
            self.content = content
            self.file, self.from_folder = "", False
