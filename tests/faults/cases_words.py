"""The table of refusals: what an upstream's status, words and silence say, in the wording of those that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.faults.case import WHOLE, Case, Then, case_of
from tests.faults.upstream import KEY, drip, http, then_hang, zipped


def _odd_statuses() -> Iterator[Case]:
    kinds = {
        405: "forbidden", 407: "forbidden", 410: "model_not_found", 421: "busy", 424: "busy", 426: "forbidden",
        451: "forbidden", 499: "busy",
    }  # fmt: skip
    for status, kind in kinds.items():
        yield case_of("status", f"odd {status}", http(status, "x"), "next", kind, streamed=WHOLE)


def _silent_refusals() -> Iterator[Case]:
    """The status and the headers come, the text never does."""

    def head(status: int, more: str = "") -> bytes:
        return f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}Content-Length: 99\r\n\r\n".encode()

    known: tuple[tuple[int, Then, str], ...] = (
        (400, "stop", "bad_request"), (401, "next", "auth"), (404, "next", "model_not_found"),
        (413, "stop", "request_too_large"), (500, "next", "upstream_error"), (503, "next", "overloaded"),
    )  # fmt: skip
    for status, then, kind in known:
        yield case_of("silent-refusal", f"{status} hangs", then_hang(head(status)), then, kind)
    wait = then_hang(head(429, "Retry-After: 7\r\n"))
    yield case_of("silent-refusal", "429 keeps its wait", wait, "next", "rate_limited", retry_after_s=7)
    dripping = drip(b"HTTP/1.1 401 X\r\nContent-Type: application/json\r\n\r\n{", b" ")
    yield case_of("silent-refusal", "401 drips", dripping, "next", "auth")


def _error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


_GEMINI = {"code": 400, "status": "INVALID_ARGUMENT"}
_NO_SUCH_MODEL: dict[str, dict[str, Any]] = {
    "deepseek": _error("Model Not Exist", code="invalid_request_error"),
    "openrouter": {"error": {"message": "foo/bar is not a valid model ID", "code": 400}},
    "groq": _error("The model `x` has been decommissioned and is no longer supported.", code="model_decommissioned"),
    "not supported": _error("The model `x` is not supported."),
    "no longer available": _error("The model gpt-3.5-turbo-0301 is no longer available"),
    "is invalid": {"error": {"message": "model is invalid: x"}},
    "unsupported": _error("Unsupported model: x", code="unsupported_model"),
    "param": _error("Invalid value given.", param="model", code=None),
    "value": _error("Invalid value for 'model'."),
    "gemini": {"error": {"message": "* GenerateContentRequest.model: unexpected model name format", **_GEMINI}},
    "litellm": _error("/chat/completions: Invalid model name passed in model=x", code="400"),
    "vllm": {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 400},
}
_NOT_ABOUT_THE_MODEL: dict[str, tuple[dict[str, Any], str]] = {
    "images": (_error("This model does not support images."), "bad_request"),
    "parameter": (_error("Unsupported parameter: 'max_tokens' is not supported with this model."), "bad_request"),
    "parameter first": (_error("With this model, 'max_tokens' is not supported."), "bad_request"),
    "parameters": (_error("Invalid model parameters: temperature is above 2"), "bad_request"),
    "window": (_error("This model's maximum context length is 8192 tokens."), "context_length"),
    "limit": (_error("input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000"), "context_length"),
    "window code": (_error("Input exceeds", code="context_window_exceeded"), "context_length"),
    "string": (_error("Too much.", code="string_above_max_length"), "context_length"),
    "tool": (_error("Tool choice `x` not found in tools given to the model"), "bad_request"),
    "policy": (_error("Flagged by the content_filter of this model", code="content_filter"), "content_policy"),
}  # fmt: skip


def _models() -> Iterator[Case]:
    for name, body in _NO_SUCH_MODEL.items():
        yield case_of("no-such-model", name, http(400, body), "next", "model_not_found", streamed=WHOLE)
    text = http(400, "Invalid model: x", kind="text/plain")
    yield case_of("no-such-model", "plain text", text, "next", "model_not_found")
    large = http(400, _error("Invalid model: x", echo="y" * 400_000))
    yield case_of("no-such-model", "large body", large, "next", "model_not_found")
    echo_first = http(400, {"error": {"code": "model_not_found", "message": "No.", "echo": "y" * 400_000}})
    yield case_of("no-such-model", "large body with code", echo_first, "next", "model_not_found", streamed=WHOLE)
    packed = http(400, zipped(b'{"error": {"message": "Invalid model"}}'), Content_Encoding="gzip")
    yield case_of("no-such-model", "packed", packed, "next", "model_not_found", streamed=WHOLE)
    for name, (body, kind) in _NOT_ABOUT_THE_MODEL.items():
        yield case_of("request-fault", name, http(400, body), "stop", kind, streamed=WHOLE)
    yield case_of("request-fault", "html", http(400, "<html>Invalid model", kind="text/html"), "stop", "bad_request")


def _keys_and_money() -> Iterator[Case]:
    def case(name: str, status: int, body: object, kind: str) -> Case:
        return case_of("credential", name, http(status, body), "next", kind)  # type: ignore[arg-type]  # JSON

    quota = "You exceeded your current quota, please check your plan and billing details."
    yield case("quota in a 200", 200, _error(quota, code="insufficient_quota"), "quota")
    yield case("quota by type in a 200", 200, {"error": {"message": quota, "type": "insufficient_quota"}}, "quota")
    yield case("credits in a 200", 200, _error("No.", code="insufficient_credits"), "quota")
    yield case("not active in a 200", 200, _error("No.", code="billing_not_active"), "quota")
    yield case("not active under 429", 429, {"error": {"message": "No.", "code": "billing_not_active"}}, "quota")
    yield case("quota by words under 429", 429, {"error": {"message": quota}}, "quota")
    expired = {"error": {"message": "API key expired. Please renew it.", **_GEMINI}}
    yield case("gemini key expired", 400, expired, "auth")
    details = {"error": {"message": "No.", "details": [{"reason": "API_KEY_INVALID"}], **_GEMINI}}
    yield case("gemini key by reason", 400, details, "auth")
    yield case("gemini key in a 200", 200, details, "auth")
    echoed = {"error": {"message": f"Incorrect key {KEY}", "code": "invalid_api_key"}}
    yield case("key echoed in a 200", 200, echoed, "auth")
    passing = {"error": {"code": 429, "message": quota, "status": "RESOURCE_EXHAUSTED"}}
    yield case_of("meaning", "gemini quota that passes", http(429, passing), "next", "rate_limited", dialect="gemini")
    country = {"error": {"message": "User location is not supported for the API use.", **_GEMINI}}
    yield case_of("meaning", "country", http(400, country), "next", "forbidden", dialect="gemini")


WORD_GROUPS = (_odd_statuses, _silent_refusals, _models, _keys_and_money)
