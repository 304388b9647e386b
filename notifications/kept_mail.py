"""The folders in which trials keep mails and text messages, of which those about erased people are removed.

Invariant: a mail is kept while its message is. Its Message-ID names the message (`composing`), as the name of the file does for a text
message. Works on files, so call it in a thread.
"""

from collections.abc import Collection, Iterator
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Self

from notifications.sms import Folder, place_of
from services.settings import Settings


class KeptMail:
    """A Maildir, and a folder of text messages; without a folder there is none, as with a mail server of others."""

    def __init__(self, folder: Path | None, texts: Folder | None = None) -> None:
        self._folder, self._texts = folder, texts

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The folders that the settings name. Misconfigured when AMA_SMS is none of its form."""
        place = place_of(settings.sms) if settings.sms else None
        return cls(settings.mail_folder, place if isinstance(place, Folder) else None)

    def messages(self) -> set[str]:
        """The ids of the messages that are kept."""
        texts = self._texts.messages() if self._texts is not None else set[str]()
        return texts | {message for _, message in self._mails()}

    def forget(self, messages: Collection[str]) -> None:
        """Remove the mails and texts of these messages, every repeat as well."""
        if self._texts is not None:
            self._texts.forget(messages)
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
