"""The folder in which the embedded mail server keeps mails, of which those about erased people are removed.

Invariant: a mail is kept while its message is. Its Message-ID names the message (`composing`). Works on files, so call it in a thread.
"""

from collections.abc import Collection, Iterator
from email.parser import BytesHeaderParser
from pathlib import Path


class KeptMail:
    """A Maildir; without a folder there is none, as with a mail server of others."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def messages(self) -> set[str]:
        """The ids of the messages whose mails are kept."""
        return {message for _, message in self._mails()}

    def forget(self, messages: Collection[str]) -> None:
        """Remove the mails of these messages, every repeat as well."""
        for path, message in self._mails() if messages else ():
            if message in messages:
                path.unlink(missing_ok=True)

    def _mails(self) -> Iterator[tuple[Path, str]]:
        """The files with the messages that they name. `tmp` has mails that are still written."""
        parts = [self._folder / each for each in ("new", "cur")] if self._folder is not None else []
        for path in [file for part in parts if part.is_dir() for file in part.iterdir()]:
            try:
                with path.open("rb") as file:
                    name = str(BytesHeaderParser().parse(file)["Message-ID"] or "")
            except FileNotFoundError:
                continue  # a reader of the folder has moved it
            yield path, name.strip().lstrip("<").partition("@")[0]
