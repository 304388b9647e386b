"""Bytes that a client has sent and that the parser has not seen yet.

Invariant: a piece never holds the ends of two requests, so that the parser can be stopped between any two of them.
"""

END = b"\r\n\r\n"  # of headers, and of a chunked body; the parser accepts no other line ends


class Received:
    """Bytes of one connection, in the order in which they came."""

    def __init__(self) -> None:
        self._bytes, self._at = b"", 0
        self._before = b""  # the last bytes that were taken: an end may begin there

    def __bool__(self) -> bool:
        return self._at < len(self._bytes)

    def add(self, data: bytes) -> None:
        """Keep what has come."""
        self._bytes, self._at = self._bytes[self._at :] + data, 0

    def clear(self) -> None:
        """Throw away what was not taken."""
        self._bytes, self._at = b"", 0

    def take(self, body: int) -> bytes:
        """Take the next piece: up to so many bytes of a body of known length, or up to the next end of headers or chunks."""
        end = self._at + body if body else self._next_end()
        piece = self._bytes[self._at : end]
        self._before = (self._before + piece[-3:])[-3:]
        self._at += len(piece)
        if not self:
            self.clear()  # the memory of what the parser has
        return piece

    def _next_end(self) -> int:
        across = (self._before + self._bytes[self._at : self._at + 3]).find(END)
        if across >= 0:
            return self._at + across + len(END) - len(self._before)
        found = self._bytes.find(END, self._at)
        return found + len(END) if found >= 0 else len(self._bytes)
