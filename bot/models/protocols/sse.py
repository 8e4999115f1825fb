"""Reading a response body as it comes: server-sent events, or one JSON document from a server that does not stream."""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"


class ErrorData(bytes):
    """The data of an event that the stream calls an error, by its `event` or by llama.cpp's field of that name."""


class Decoder:
    """Turns the bytes of a body, however they are cut, into the data of its events.

    Follows the event stream format of the HTML standard: lines end in LF, CR or CRLF, several `data` lines make one
    event, an event that is called an error gives `ErrorData`, comments and other fields say nothing here. A body that
    starts with `{` or `[` is one document: its only event.
    """

    def __init__(self) -> None:
        self.whole = False
        self._begun = False
        self._rest = b""
        self._carriage = False  # the last line ended in CR; an LF that follows belongs to it
        self._data: list[bytes] = []
        self._failed = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that this chunk completes."""
        if not self._begun:
            chunk = self._begin(chunk)
        if self.whole or not self._begun:
            self._rest += chunk
            return []
        if self._carriage and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._carriage = chunk.endswith(b"\r")
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        return [event for line in lines if (event := self._take(line.rstrip(b"\r\n"))) is not None]

    def close(self) -> list[bytes]:
        """The data of the event that the end of the body completes: servers forget the blank line after the last."""
        rest, self._rest = self._rest, b""
        if self.whole:
            return [rest]
        events = [self._take(line) for line in (rest, b"")]
        return [event for event in events if event is not None]

    def _begin(self, chunk: bytes) -> bytes:
        """Look at how the body starts; what is too short to tell is kept."""
        start = (self._rest + chunk).removeprefix(BOM)
        if start.strip() and not BOM.startswith(start):
            self._begun, self._rest = True, b""
            self.whole = start.lstrip().startswith((b"{", b"["))
            return start
        return chunk

    def _take(self, line: bytes) -> bytes | None:
        if not line:
            data, failed = b"\n".join(self._data), self._failed
            begun, self._data, self._failed = bool(self._data), [], False
            return (ErrorData(data) if failed else data) if begun else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field in (b"data", b"error"):
            self._data.append(value)
        self._failed = self._failed or field == b"error" or (field == b"event" and value.strip() == b"error")
        return None
