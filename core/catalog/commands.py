"""What do the commands that refresh prices share: fetching a feed within limits, and saying how it went?"""

from __future__ import annotations

import sys

import httpx

from core.catalog.feeds.parsed import FeedError
from core.i18n import said

MAX_BYTES = 10 * 2**20
TIMEOUT_S = 20.0


class NotModifiedError(Exception):
    """The feed is the one already taken in."""


def new_client() -> httpx.Client:
    """A client that waits `TIMEOUT_S` and follows redirects; close it."""
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=True)


def require_small(size_bytes: int) -> None:
    """FeedError for a feed of more than `MAX_BYTES`."""
    if size_bytes > MAX_BYTES:
        raise FeedError(said("catalog.feed_too_large", limit=MAX_BYTES >> 20))


def fetch(url: str, client: httpx.Client, etag: str | None = None) -> tuple[bytes, str | None]:
    """Content and ETag of a feed.

    Raises FeedError for more than `MAX_BYTES`, a refusal or a source that cannot be reached, and NotModifiedError.
    """
    try:
        with client.stream("GET", url, headers={"If-None-Match": etag} if etag else {}) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                raise NotModifiedError
            if answer.status_code != httpx.codes.OK:
                raise FeedError(said("catalog.feed_answers", status=answer.status_code))
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                require_small(len(content))
            return bytes(content), answer.headers.get("ETag")
    except httpx.HTTPError as error:
        raise FeedError(said("catalog.feed_unreachable", error=type(error).__name__)) from error


def say(text: object, code: int) -> int:
    """Writes a command's last words and gives its exit code back."""
    sys.stdout.write(f"{text}\n")
    return code
