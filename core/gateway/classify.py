"""What does an error answer of an upstream mean, whatever its family?"""

from __future__ import annotations

import re

from core.gateway import errors as e
from core.gateway.dialects.shape import load

# Patterns are kept as text and compiled when first needed: most programs never see most of them.
#
# Where a name stands: model `x`, model: x, model 'x'. A comma or a second word between ends the match, so that
# "With this model, 'max_tokens' is not supported" is not about the model.
_MODEL = (
    r"model[_ ]not[_ ](?:found|exist|supported)|(?:unknown|unsupported)[_ ]model|no such model|model_decommissioned"
    r"|invalid[_ ]model(?!s?[_ ]?(?:param|input|output|config|setting|argument|option|kwargs))"
    r"|not a valid model|unexpected model name|model(?: name| id)? is (?:invalid|unknown)"
    r"|invalid value for ['\"`]?model['\"`]?(?!\w)"
    r"|model\b[^\n]{0,80}(?:does not exist|not found|decommissioned)"
    r"|model(?::? [`'\"]?[\w./:@-]+[`'\"]?)? (?:is not supported|is no longer (?:supported|available)|is not available"
    r"|is deprecated|has been (?:deprecated|retired|removed))"
)
_CONTEXT = (
    r"context[_ ](?:length|window|limit)|prompt is too long|maximum context|too many tokens|input token count"
    r"|reduce the length|string_above_max_length"
)
_POLICY = r"content[_ ](?:policy|filter)|content management policy|moderation|responsible_ai|\bsafety\b"
_QUOTA = (
    r"insufficient[_ ](?:quota|credit|balance|funds)|credit balance|billing|exceeded your current quota"
    r"|payment[_ ]required"
)
# Gemini says "exceeded your current quota ... billing details" for a rate limit that passes within a minute.
_LASTING_QUOTA = (
    r"insufficient[_ ](?:quota|credit|balance|funds)|billing_(?:hard_limit|not_active)|payment[_ ]required"
    r"|credit balance"
)
_BILLING_HINT = r"check your (?:plan and )?billing details"
_KEY = r"api[_ ]?key|authentication|account|credential|token is|unauthorized"
# Gemini says 400 for a wrong key.
_WRONG_KEY = r"api_key_invalid|api key (?:not valid|expired|is invalid)|(?:invalid|incorrect)[_ ]api[_ ]key"

_TYPES: dict[type[e.GatewayError], str] = {
    e.OverloadedError: "overloaded_error unavailable",
    e.RateLimitError: "rate_limit_error rate_limit_exceeded resource_exhausted",
    e.AuthError: "authentication_error unauthenticated invalid_api_key api_key_invalid",
    e.ForbiddenError: "permission_error permission_denied",
    e.QuotaError: "billing_error insufficient_quota insufficient_credits insufficient_balance billing_not_active "
                  "billing_hard_limit_reached payment_required",
    e.ModelNotFoundError: "not_found_error not_found",
    e.RequestTooLargeError: "request_too_large",
    e.BusyError: "timeout_error deadline_exceeded",
    e.UpstreamError: "api_error server_error internal_server_error internal",
    e.BadRequestError: "invalid_request_error invalid_argument",
}  # fmt: skip
_KIND_BY_TYPE = {name: kind for kind, names in _TYPES.items() for name in names.split()}
_KIND_BY_STATUS: dict[int, type[e.GatewayError]] = {
    401: e.AuthError, 402: e.QuotaError, 404: e.ModelNotFoundError, 405: e.ForbiddenError, 407: e.ForbiddenError,
    408: e.BusyError, 409: e.BusyError, 410: e.ModelNotFoundError, 413: e.RequestTooLargeError, 421: e.BusyError,
    424: e.BusyError, 425: e.BusyError, 426: e.ForbiddenError, 451: e.ForbiddenError, 499: e.BusyError,
    503: e.OverloadedError, 529: e.OverloadedError,
}  # fmt: skip

_TEXT_CHARS = 4_000
_WORD_CHARS = 200
_MAX_PARTS = 20
_FIELD = r'"(code|type|status|reason|param|message)"\s*:\s*"((?:[^"\\]|\\.)*)'


def error_body(raw: bytes) -> object:
    """What the body of a refusal says: JSON, the fields that can be told of JSON that was cut, or plain text."""
    try:
        return load(raw)
    except e.BadReplyError:
        text = raw.decode("utf-8", "replace").strip()[:_TEXT_CHARS]
    if text[:1] in {"{", "["}:
        # The first of a name wins: details come after what they explain.
        return {"error": dict(reversed(re.findall(_FIELD, text)))}
    return None if not text or text.startswith("<") else text


def error_words(body: object) -> tuple[str, str]:
    """The machine's words (code, type, status, reasons) and the human message of an error body, "" without any.

    Of each so much as a true one has: patterns are looked for in them, and an upstream may write megabytes.
    """
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return "", body[:_TEXT_CHARS] if isinstance(body, str) else ""
    error = body.get("error", body.get("detail", body))
    if isinstance(error, str):
        return "", error[:_TEXT_CHARS]
    if not isinstance(error, dict):
        return "", ""
    details = error.get("details")
    listed = details[:_MAX_PARTS] if isinstance(details, list) else []
    parts = [error, *(one for one in listed if isinstance(one, dict))]
    names = ("code", "type", "status", "reason")
    words = [str(p[name])[:_WORD_CHARS] for p in parts for name in names if _is_word(p.get(name))]
    if error.get("param") == "model":
        words.append("param_model")
    message = error.get("message", "")
    return " ".join(words).lower(), message[:_TEXT_CHARS] if isinstance(message, str) else ""


def _is_word(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 10_000)


def status_in(body: object) -> int | None:
    """The HTTP status an error object carries inside, as OpenRouter and Gemini do in a 200."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isdecimal() and len(code) == 3:
        code = int(code)
    is_status = isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599
    return code if is_status and isinstance(code, int) else None


def error_type(status: int | None, body: object) -> type[e.GatewayError]:
    """The class for an error answer; `status` None for an error object inside a 200."""
    words, message = error_words(body)
    if status is None:
        status = status_in(body)
    text = f"{words} {message.lower()}"
    if status is None:
        named = next((_KIND_BY_TYPE[w] for w in words.split() if w in _KIND_BY_TYPE), None)
        if named is None or not issubclass(named, e.BadRequestError | e.RateLimitError):
            return named or _request_type(text) or e.UpstreamError
        status = 400 if named is e.BadRequestError else 429
    if 300 <= status < 400:
        return e.RedirectError
    if status >= 500:
        return _KIND_BY_STATUS.get(status, e.UpstreamError)
    if status == 429:
        is_hint = bool(re.search(_BILLING_HINT, text)) and "resource_exhausted" not in words
        return e.QuotaError if is_hint or re.search(_LASTING_QUOTA, text) else e.RateLimitError
    return _client_error(status, text)


def _client_error(status: int, text: str) -> type[e.GatewayError]:
    if status == 403:
        if re.search(_QUOTA, text):
            return e.QuotaError
        if "model" not in text and re.search(_KEY, text):
            return e.AuthError
        return e.ContentPolicyError if re.search("moderation|content_policy", text) else e.ForbiddenError
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    if status == 400 and re.search(_WRONG_KEY, text):
        return e.AuthError
    if status == 400 and re.search(_LASTING_QUOTA, text):
        return e.QuotaError
    # Google serves some countries not at all; another target may.
    if status == 400 and "location is not supported" in text:
        return e.ForbiddenError
    return _request_type(text) or e.BadRequestError


def _request_type(text: str) -> type[e.GatewayError] | None:
    if re.search(_CONTEXT, text):
        return e.ContextLengthError
    can_be_model = "does not support" not in text or "model_not" in text
    if can_be_model and ("param_model" in text or re.search(_MODEL, text)):
        return e.ModelNotFoundError
    return e.ContentPolicyError if re.search(_POLICY, text) else None
