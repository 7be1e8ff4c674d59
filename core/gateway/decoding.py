"""What do the bytes of a compressed body say, without ever unpacking more than is allowed?"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from core.gateway.errors import BadReplyError, ReplyTooLargeError, TruncatedError

ACCEPT_ENCODING = "gzip, deflate"
_PIECE_BYTES = 32 * 1024
_MAX_LAYERS = 3
_MAX_MEMBERS = 4096
"""Gzip allows any number of members; hundreds of thousands of empty ones fit into a small body and cost seconds."""

# Not asked for and no packing: some servers name the letters here, which belong into Content-Type.
_PLAIN = frozenset({"identity", "none", "utf-8", "utf8", "binary"})


class _Inflater:
    """One layer of gzip or deflate, unpacked in small pieces."""

    def __init__(self, encoding: str) -> None:
        self._is_deflate = encoding == "deflate"
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | (0 if self._is_deflate else 16))
        self._is_first = True
        self._member_count = 1

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        # In slices: what is left of one is copied at the end of every gzip member, and there may be thousands.
        for place in range(0, len(chunk), _PIECE_BYTES):
            yield from self._feed_slice(chunk[place : place + _PIECE_BYTES])

    def _feed_slice(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            try:
                piece = self._zlib.decompress(chunk, _PIECE_BYTES)
            except zlib.error:
                if not (self._is_deflate and self._is_first):
                    raise BadReplyError("The compressed answer is damaged.") from None
                # Some servers send raw deflate where the standard asks for a zlib wrapper.
                self._zlib, self._is_first = zlib.decompressobj(-zlib.MAX_WBITS), False
                continue
            self._is_first = False
            if piece:
                yield piece
            chunk = self._zlib.unconsumed_tail
            if self._zlib.eof:
                chunk = self._next_member()

    def _next_member(self) -> bytes:
        """A gzip body may be several members one after the other; anything else after the end is ignored."""
        unused = self._zlib.unused_data
        if self._is_deflate or not unused.startswith(b"\x1f\x8b"):
            return b""
        self._member_count += 1
        if self._member_count > _MAX_MEMBERS:
            raise ReplyTooLargeError(f"The compressed answer has more than {_MAX_MEMBERS} members.")
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return unused

    def close(self) -> None:
        if not self._is_first and not self._zlib.eof:
            raise TruncatedError("The compressed answer ends too early.")


class BodyDecoder:
    """Undoes `Content-Encoding` and counts: raises ReplyTooLargeError once more than `max_bytes` went in or came out
    of any layer, so that no layer in between grows unseen either.
    """

    def __init__(self, content_encoding: str, max_bytes: int) -> None:
        names = [n.strip().lower() for n in content_encoding.split(",")]
        names = [n.removeprefix("x-") for n in names if n and n not in _PLAIN]
        if len(names) > _MAX_LAYERS or not set(names) <= {"gzip", "deflate"}:
            raise BadReplyError("The answer is packed in a way that was not asked for.")
        self._layers = [_Inflater(name) for name in reversed(names)]
        self._left = [max_bytes] * (len(names) + 1)
        self._max = max_bytes

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Unpacked pieces of a chunk."""
        return self._through(chunk, 0)

    def close(self) -> None:
        """Raises TruncatedError when the packed data ended before its own end."""
        for layer in self._layers:
            layer.close()

    def _through(self, chunk: bytes, depth: int) -> Iterator[bytes]:
        self._left[depth] -= len(chunk)
        if self._left[depth] < 0:
            raise ReplyTooLargeError(f"The answer exceeds {self._max} bytes.")
        if depth == len(self._layers):
            if chunk:
                yield chunk
            return
        for piece in self._layers[depth].feed(chunk):
            yield from self._through(piece, depth + 1)
