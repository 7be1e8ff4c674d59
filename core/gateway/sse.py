"""Which events does a stream of bytes hold? Server-sent events, whatever borders the chunks have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.gateway.errors import BadReplyError, ReplyTooLargeError

_BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event: its type ("" when not named) and its data lines joined with newlines."""

    name: str
    data: str


class SseParser:
    """Feed it bytes, it gives events. Lines end at CR, LF or CRLF and nowhere else: U+2028 inside JSON is text.

    An event whose data is blank is none: the standard drops it, and servers send such ones to keep a connection open.
    Raises ReplyTooLargeError when one event exceeds `max_event_bytes`, BadReplyError for data that is not UTF-8.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._rest = bytearray()
        self._searched = 0
        self._data: list[bytes] = []
        self._name = b""
        self._size = 0
        self._is_start = True
        self._skips_lf = False

    def feed(self, chunk: bytes) -> Iterator[SseEvent]:
        """Events that became complete with these bytes. Raises ReplyTooLargeError, BadReplyError."""
        self._rest += chunk
        if not self._skip_bom():
            return
        while (line := self._next_line()) is not None:
            event = self._take(line)
            if event is not None:
                yield event
        if len(self._rest) + self._size > self._max:
            raise ReplyTooLargeError(f"An event of the stream exceeds {self._max} bytes.")

    def close(self) -> Iterator[SseEvent]:
        """The event the end of the stream left without its blank line, if there is one. Raises as `feed` does."""
        if self._rest:
            yield from filter(None, [self._take(bytes(self._rest))])
            self._rest.clear()
        yield from filter(None, [self._take(b"")])

    def _skip_bom(self) -> bool:
        """Drop a byte order mark; False while the first bytes may still become one."""
        if self._is_start:
            if len(self._rest) < len(_BOM) and _BOM.startswith(self._rest):
                return False
            if self._rest.startswith(_BOM):
                del self._rest[: len(_BOM)]
            self._is_start = False
        return True

    def _next_line(self) -> bytes | None:
        if self._skips_lf and self._rest:
            self._skips_lf = False
            if self._rest.startswith(b"\n"):
                del self._rest[:1]
        lf = self._rest.find(b"\n", self._searched)
        cr = self._rest.find(b"\r", self._searched, lf if lf >= 0 else len(self._rest))
        end = cr if cr >= 0 else lf
        if end < 0:
            self._searched = len(self._rest)
            return None
        # A CR may be the first half of a CRLF that comes later: its line is complete, only the LF is left out then.
        self._skips_lf = cr >= 0
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        self._searched = 0
        return line

    def _take(self, line: bytes) -> SseEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > self._max:
                raise ReplyTooLargeError(f"An event of the stream exceeds {self._max} bytes.")
        elif field == b"event":
            self._name = value[:200]
        return None

    def _dispatch(self) -> SseEvent | None:
        data, name = self._data, self._name
        self._data, self._name, self._size = [], b"", 0
        if not any(map(bytes.strip, data)):
            return None
        try:
            return SseEvent(name.decode("utf-8", "replace"), b"\n".join(data).decode("utf-8"))
        except UnicodeDecodeError:
            raise BadReplyError("The stream holds bytes that are not UTF-8.") from None
