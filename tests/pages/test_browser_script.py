"""The script for the browser is part of every page and of nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable

from starlette.types import Message, Receive, Scope, Send

from pages.parts.browser import BrowserScript, head_elements
from pages.parts.playground_chat import COMING
from tests.conftest import LANGS, in_a_loop

PAGE = b"<html><head><title>x</title></head><body></body></html>"


def answer(
    content_type: str, parts: Iterable[bytes], accept: bytes = b"text/html,*/*"
) -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body that a browser gets of an answer that comes in parts."""
    seen: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope)
        headers = [(b"content-type", content_type.encode()), (b"content-length", b"1"), (b"etag", b"old")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        pieces = list(parts)
        for place, piece in enumerate(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": place < len(pieces) - 1})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asked = [(b"accept", accept), (b"accept-encoding", b"gzip"), (b"if-none-match", b"old")]
    scope = {"type": "http", "method": "GET", "path": "/roi", "headers": asked}
    in_a_loop(BrowserScript(app)(scope, receive, send))
    if accept.startswith(b"text/html"):
        assert dict(seen[0]["headers"]) == {b"accept": accept}
    return dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def test_a_page_that_comes_in_parts_gets_the_script_into_its_head() -> None:
    headers, body = answer("text/html; charset=utf-8", [PAGE[:20], PAGE[20:]])

    assert body == PAGE.replace(b"</head>", head_elements() + b"</head>")
    assert headers[b"content-length"] == str(len(body)).encode()
    assert b"etag" not in headers


def test_other_answers_stay_as_they_are() -> None:
    assert answer("application/json", [b"{}"])[1] == b"{}"
    assert answer("text/html", [PAGE], accept=b"*/*")[1] == PAGE


def test_the_style_comes_with_the_script() -> None:
    assert "<style>" in head_elements().decode()
    assert "[data-tag]" in head_elements().decode()


def test_what_is_being_answered_has_one_name_in_script_style_and_pages() -> None:
    assert head_elements().decode().count(f".st-key-{COMING}") == 2


def test_the_script_knows_the_languages_and_the_marker() -> None:
    script = head_elements().decode()

    assert json.dumps(LANGS) in script
    assert 'MARKER = "v"' in script
    assert "__" not in script
