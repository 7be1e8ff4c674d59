"""What does an error answer of an upstream mean, whatever its family?"""

from __future__ import annotations

from core.gateway import errors as e

_MODEL_WORDS = (
    "model_not_found",
    "invalid model",
    "unknown model",
    "model not found",
    "no such model",
    "invalid_model",
)
_CONTEXT_WORDS = ("context_length", "context length", "context window", "prompt is too long", "maximum context",
                  "too many tokens", "input token count", "reduce the length")  # fmt: skip
_POLICY_WORDS = ("content_policy", "content_filter", "content policy", "content management policy", "moderation",
                 "responsible_ai", "safety")  # fmt: skip
_QUOTA_WORDS = ("insufficient_quota", "insufficient_credit", "insufficient balance", "credit balance", "billing",
                "exceeded your current quota", "payment_required", "insufficient_balance")  # fmt: skip
_KEY_WORDS = ("api key", "api_key", "apikey", "authentication", "account", "credential", "token is", "unauthorized")

_KIND_BY_TYPE: dict[str, type[e.GatewayError]] = {
    "overloaded_error": e.OverloadedError,
    "rate_limit_error": e.RateLimitError,
    "rate_limit_exceeded": e.RateLimitError,
    "resource_exhausted": e.RateLimitError,
    "authentication_error": e.AuthError,
    "unauthenticated": e.AuthError,
    "invalid_api_key": e.AuthError,
    "permission_error": e.ForbiddenError,
    "permission_denied": e.ForbiddenError,
    "billing_error": e.QuotaError,
    "not_found_error": e.ModelNotFoundError,
    "not_found": e.ModelNotFoundError,
    "request_too_large": e.RequestTooLargeError,
    "timeout_error": e.BusyError,
    "deadline_exceeded": e.BusyError,
    "unavailable": e.OverloadedError,
    "api_error": e.UpstreamError,
    "server_error": e.UpstreamError,
    "internal_server_error": e.UpstreamError,
    "internal": e.UpstreamError,
    "invalid_request_error": e.BadRequestError,
    "invalid_argument": e.BadRequestError,
}
_KIND_BY_STATUS: dict[int, type[e.GatewayError]] = {
    401: e.AuthError, 402: e.QuotaError, 403: e.ForbiddenError, 404: e.ModelNotFoundError, 408: e.BusyError,
    409: e.BusyError, 413: e.RequestTooLargeError, 425: e.BusyError, 429: e.RateLimitError,
    503: e.OverloadedError, 529: e.OverloadedError,
}  # fmt: skip


def error_words(body: object) -> tuple[str, str]:
    """The machine's words (code, type, status) and the human message of an error body, "" where there are none."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return "", body if isinstance(body, str) else ""
    error = body.get("error", body.get("detail", body))
    if isinstance(error, str):
        return "", error
    if not isinstance(error, dict):
        return "", ""
    words = [str(error.get(name)) for name in ("code", "type", "status") if isinstance(error.get(name), str | int)]
    message = error.get("message", "")
    return " ".join(words).lower(), message if isinstance(message, str) else ""


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
            return named or _request_type(text, words) or e.UpstreamError
        status = 400 if named is e.BadRequestError else 429
    if 300 <= status < 400:
        return e.RedirectError
    if status >= 500:
        return _KIND_BY_STATUS.get(status, e.UpstreamError)
    if status == 429:
        is_quota = "insufficient_quota" in text or "insufficient balance" in text or "billing_hard_limit" in text
        return e.QuotaError if is_quota else e.RateLimitError
    return _client_error(status, words, text)


def _client_error(status: int, words: str, text: str) -> type[e.GatewayError]:
    if status == 403:
        if _has(text, _QUOTA_WORDS):
            return e.QuotaError
        if "model" not in text and _has(text, _KEY_WORDS):
            return e.AuthError
        return e.ContentPolicyError if _has(text, ("moderation", "content_policy")) else e.ForbiddenError
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    # Gemini says 400 for a wrong key.
    if status == 400 and ("api_key_invalid" in text or "api key not valid" in text):
        return e.AuthError
    if status == 400 and ("credit balance" in text or "insufficient_quota" in text):
        return e.QuotaError
    return _request_type(text, words) or e.BadRequestError


def _request_type(text: str, words: str) -> type[e.GatewayError] | None:
    if _has(text, _CONTEXT_WORDS):
        return e.ContextLengthError
    if _has(text, _MODEL_WORDS) or ("model" in text and ("does not exist" in text or "not found" in text)):
        return e.ModelNotFoundError
    return e.ContentPolicyError if _has(text, _POLICY_WORDS) else None


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)
