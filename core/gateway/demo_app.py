"""What does the demo upstream do with each request? Answers at a human pace, or misbehaves as it was told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.gateway import demo_dialects as dialects
from core.gateway.demo_answers import MODELS, DemoModel, answer, pieces, shortened, token_count
from core.gateway.demo_control import RETRY_AFTER_S, SLOW_FIRST_TOKEN_S, DemoControl, Fault, Visit

MAX_BODY_BYTES = 4 * 2**20
HANG_S = 600.0
CUT_AFTER_PIECES = 12

_REFUSALS: dict[Fault, tuple[int, str, str]] = {
    "rate_limited": (429, "rate_limit_exceeded", "Rate limit reached (simulated). Please try again in 20s."),
    "server_error": (500, "server_error", "The server had an error while processing your request (simulated)."),
    "overloaded": (503, "overloaded", "The model is overloaded (simulated)."),
    "invalid_model": (404, "model_not_found", "The model `{model}` does not exist (simulated)."),
    "auth": (401, "invalid_api_key", "Incorrect API key provided: {key} (simulated)."),
    "quota": (429, "insufficient_quota", "You exceeded your current quota (simulated)."),
}
# These sellers have no code of their own for it: their words say it.
_REFUSALS_OF_A_DIALECT: dict[tuple[str, Fault], tuple[int, str, str]] = {
    ("anthropic", "quota"): (400, "", "Your credit balance is too low to access the API (simulated)."),
    ("gemini", "quota"): (403, "", "This API method requires billing to be enabled (simulated)."),
}


@dataclass(frozen=True, slots=True)
class _Paced:
    """One answer to one request, as an ASGI application that notices when its reader goes away."""

    control: DemoControl
    visit: Visit
    model: DemoModel
    fault: Fault
    said: dialects.Answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.ensure_future(self._answer(send))
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and self.visit.ending == "running":
                self.visit.ending = "closed_by_client"
        finally:
            work.cancel()
            gone.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _answer(self, send: Send) -> None:
        if self.fault == "hang":
            await asyncio.sleep(HANG_S)
            return
        wait_s = SLOW_FIRST_TOKEN_S if self.fault == "slow_first_token" else self.model.first_token_s
        if not self.visit.is_streamed:
            await self._at_once(send, wait_s)
            return
        await _head(send, "text/event-stream")
        await asyncio.sleep(wait_s / self.control.speed)
        if await self._events(send):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            self.visit.ending = "answered"
        else:
            # Returning without the end of the body makes the server drop the connection.
            self.visit.ending = "cut"

    async def _events(self, send: Send) -> bool:
        """Sends the events; False when the answer is to be cut off."""
        if self.fault == "empty":
            await _piece(send, b"data: [DONE]\n\n")
            return True
        for event, has_text in dialects.events(self.visit.dialect, self.said):
            if self.fault == "cut" and self.visit.sent_pieces >= CUT_AFTER_PIECES:
                return False
            await _piece(send, event)
            if has_text:
                self.visit.sent_pieces += 1
                await asyncio.sleep(1 / self.model.pieces_per_s / self.control.speed)
        return True

    async def _at_once(self, send: Send, wait_s: float) -> None:
        body = b"" if self.fault == "empty" else json.dumps(dialects.reply(self.visit.dialect, self.said)).encode()
        await asyncio.sleep((wait_s + len(self.said.pieces) / self.model.pieces_per_s) / self.control.speed)
        await _head(send, "application/json", None if self.fault == "cut" else len(body))
        is_cut = self.fault == "cut"
        await _piece(send, body[: len(body) // 2] if is_cut else body, more=is_cut)
        self.visit.ending = "cut" if is_cut else "answered"


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _head(send: Send, content_type: str, length: int | None = None) -> None:
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store")]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _piece(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _key(request: Request) -> str:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    return request.headers.get("x-api-key") or request.headers.get("x-goog-api-key") or bearer


def _names(provider_id: str) -> list[str]:
    return [one.name for one in MODELS if one.provider_id == provider_id]


Handler = Callable[[Request], Awaitable[Any]]


def _chat(control: DemoControl, provider_id: str, dialect: str) -> Handler:
    async def handle(request: Request) -> Any:
        path_model, _, action = request.path_params.get("call", "").partition(":")
        key = _key(request)
        try:
            body = await _body(request)
            asked = dialects.read(dialect, body, path_model, is_streamed=action == "streamGenerateContent")
        except dialects.NotUnderstoodError as problem:
            return JSONResponse(dialects.error(dialect, 400, "invalid_request_error", str(problem)), 400)
        visit = Visit(model=asked.model, dialect=dialect, is_streamed=asked.is_streamed)
        control.begin(visit)
        model = next((one for one in MODELS if (one.provider_id, one.name) == (provider_id, asked.model)), None)
        owner = key.removesuffix(f".{provider_id}")
        fault = control.fault(asked.model, key=owner) if model else "invalid_model"
        if fault in _REFUSALS or model is None:
            visit.ending = "refused"
            return _refusal(dialect, fault, asked.model, key)
        return _Paced(control, visit, model, fault, _said(asked))

    return handle


async def _body(request: Request) -> bytes:
    found = b""
    async for piece in request.stream():
        found += piece
        if len(found) > MAX_BODY_BYTES:
            raise dialects.NotUnderstoodError(f"The body exceeds {MAX_BODY_BYTES} bytes.")
    return found


def _said(asked: dialects.Asked) -> dialects.Answer:
    text, finish = shortened(answer(asked.messages, asked.model), stop=asked.stop, max_tokens=asked.max_tokens)
    return dialects.Answer(
        model=asked.model,
        pieces=pieces(text),
        input_tokens=sum(token_count(one.content) for one in asked.messages),
        output_tokens=token_count(text),
        finish=finish,
        wants_usage=asked.wants_usage,
    )


def _refusal(dialect: str, fault: Fault, model: str, key: str) -> JSONResponse:
    status, kind, text = _REFUSALS_OF_A_DIALECT.get((dialect, fault)) or _REFUSALS[fault]
    headers = {"retry-after": str(RETRY_AFTER_S)} if fault == "rate_limited" else None
    # Real providers echo the key in this message; so does this one, and nothing above it may show that.
    text = text.format(model=model[:100], key=key)
    return JSONResponse(dialects.error(dialect, status, kind, text), status, headers)


def _models(provider_id: str, dialect: str) -> Handler:
    async def handle(_request: Request) -> Any:
        return JSONResponse(dialects.model_list(dialect, _names(provider_id)))

    return handle


def _control(control: DemoControl) -> Handler:
    """`POST {"model": ..., "fault": ...}` sets a fault for the key it is sent with, `GET` tells those of the key."""

    async def handle(request: Request) -> Any:
        key = _key(request)
        if request.method == "POST":
            try:
                data = json.loads(await _body(request))
                control.set_fault(str(data["model"]), str(data["fault"]), key=key)
            except (ValueError, TypeError, KeyError) as problem:
                return JSONResponse({"problem": str(problem)[:200]}, 400)
        return JSONResponse({"faults": dict(control.faults(key=key))})

    return handle


def build(control: DemoControl) -> Starlette:
    """The demo upstream as an application; one path per seller, in the dialect of that seller."""
    routes = [Route("/control", _control(control), methods=["GET", "POST"])]
    for provider_id, dialect in {one.provider_id: one.dialect for one in MODELS}.items():
        root = f"/{provider_id}/" + ("v1beta" if dialect == "gemini" else "v1")
        path = {"gemini": "models/{call:path}", "anthropic": "messages"}.get(dialect, "chat/completions")
        routes.append(Route(f"{root}/models", _models(provider_id, dialect), methods=["GET"]))
        routes.append(Route(f"{root}/{path}", _chat(control, provider_id, dialect), methods=["POST"]))
    return Starlette(routes=routes)
