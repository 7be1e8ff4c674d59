"""Why does my call fail, how do I check that, and what do I do? From an error, or the text of one, to three sentences.

Holds no sentences: a `Diagnosis` names its texts, which are in `data/texts/<language>/diagnosis.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.gateway.errors import GatewayError

TOPIC_BY_KIND: Mapping[str, str] = {
    "configuration": "configuration",
    "unknown_endpoint": "unknown_endpoint",
    "unknown_model": "model",
    "model_not_found": "model",
    "base_url": "base_url",
    "spending_cap": "spending_cap",
    "client_limit": "client_limit",
    "target_closed": "target_closed",
    "deadline": "deadline",
    "cancelled": "cancelled",
    "gateway_closed": "cancelled",
    "bad_request": "bad_request",
    "context_length": "context_length",
    "content_policy": "content_policy",
    "request_too_large": "request_too_large",
    "auth": "auth",
    "quota": "quota",
    "forbidden": "forbidden",
    "rate_limited": "rate_limited",
    "busy": "busy",
    "upstream_error": "upstream_error",
    "overloaded": "overloaded",
    "dns": "dns",
    "tls": "tls",
    "connect": "connect",
    "connect_timeout": "connect",
    "headers_timeout": "slow",
    "first_token_timeout": "slow",
    "idle_timeout": "cut",
    "connection_lost": "cut",
    "truncated": "cut",
    "protocol": "bad_reply",
    "bad_reply": "bad_reply",
    "reply_too_large": "reply_too_large",
    "redirect": "redirect",
}
"""Kinds of error that have the same cause and remedy share a topic; a kind that is not here has the topic unknown."""

ARTICLE_TOPICS = ("auth", "rate_limited", "slow", "model")
"""The four errors that the article the program grew from explains."""

TOPICS = (*dict.fromkeys(TOPIC_BY_KIND.values()), "gpu_memory", "unknown")
"""What runs out of memory is a server of one's own: it is only ever pasted."""
PARTS = ("title", "cause", "check", "remedy")
MAX_TEXT_CHARS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is wrong, by topic; the texts are `title_key`, `cause_key`, `check_key` and `remedy_key`.

    `status_code` and `retry_after_s` (seconds) are what the error said, None when it did not.
    """

    topic: str
    kind: str = ""
    status_code: int | None = None
    retry_after_s: float | None = None
    suggestions: tuple[str, ...] = ()

    @property
    def title_key(self) -> str:
        return f"diagnosis.{self.topic}_title"

    @property
    def cause_key(self) -> str:
        return f"diagnosis.{self.topic}_cause"

    @property
    def check_key(self) -> str:
        return f"diagnosis.{self.topic}_check"

    @property
    def remedy_key(self) -> str:
        return f"diagnosis.{self.topic}_remedy"

    @property
    def is_known(self) -> bool:
        return self.topic != "unknown"


def topic_of(kind: str) -> str:
    """The topic of an error's kind."""
    return TOPIC_BY_KIND.get(kind, "unknown")


def diagnose(error: GatewayError) -> Diagnosis:
    """What an error of the gateway means."""
    return Diagnosis(
        topic=topic_of(error.kind),
        kind=error.kind,
        status_code=error.status_code,
        retry_after_s=error.retry_after_s,
        suggestions=error.suggestions,
    )


_TOPIC_BY_STATUS: Mapping[int, str] = {
    400: "bad_request", 401: "auth", 402: "quota", 403: "forbidden", 404: "model", 408: "slow", 409: "busy",
    413: "request_too_large", 422: "bad_request", 425: "busy", 429: "rate_limited", 503: "overloaded", 504: "slow",
    524: "slow", 529: "overloaded",
}  # fmt: skip

# The first that fits decides: what is said in words is more exact than a status.
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (topic, re.compile(pattern, re.IGNORECASE))
    for topic, pattern in (
        ("gpu_memory", r"out[_ ]of[_ ]memory|outofmemory|cuda_error_out|alloc_failed|메모리 부족"),
        ("quota", r"insufficient_quota|exceeded your current quota|credit balance|payment required|billing_"
                  r"|insufficient balance|잔액|결제"),
        ("context_length", r"context[_ ]length|context window|maximum context|prompt is too long|too many tokens"),
        ("request_too_large", r"request_too_large|entity too large|payload too large"),
        ("content_policy", r"content[_ ](?:policy|filter)|block_?reason|moderation|responsible_ai|SAFETY\b"),
        ("model", r"invalid[_ ]model|model[_ ]not[_ ]found|unknown[_ ]model|no such model|model\b.{0,80}"
                  r"(?:does not exist|not found|not supported|deprecated)|지원하지 않는 모델|모델명"),
        ("auth", r"incorrect api key|invalid[_ ](?:x-)?api[_ -]?key|api key not valid|invalid_api_key|unauthori[sz]ed"
                 r"|authentication|unauthenticated|API 키|인증 실패"),
        ("forbidden", r"permission[_ ](?:denied|error)|permissiondenied|forbidden|unsupported_country"),
        ("rate_limited", r"rate[_ ]?limit|too many requests|resource_exhausted|throttl"),
        ("overloaded", r"overloaded|service ?unavailable|model_overloaded"),
        ("dns", r"getaddrinfo|name or service not known|name resolution|nodename nor servname|ENOTFOUND|EAI_AGAIN"
                r"|NXDOMAIN|dns"),
        ("tls", r"certificate|\bssl|\btls\b|handshake"),
        ("connect", r"connection ?refused|errno (?:61|101|111|113)\b|winerror 10061|connection attempts failed"
                    r"|ECONNREFUSED|connect ?timeout|connecttimeout|no route to host|ENETUNREACH"
                    r"|network is unreachable|max retries exceeded|connection ?error|connecterror\b|연결 실패"),
        ("cut", r"connection ?reset|ECONNRESET|broken ?pipe|errno (?:32|54|104)\b"
                r"|incomplete(?:read| chunked)|peer closed|server disconnected"
                r"|remote end closed|premature(?:ly)? close"),
        ("slow", r"time(?:d)?[- ]?out|ETIMEDOUT|deadline exceeded|타임아웃|시간 초과"),
        ("redirect", r"too many redirects|moved permanently|temporary redirect"),
        ("bad_reply", r"jsondecode|not valid json|unexpected token|expecting value|<!doctype html|<html"),
        ("upstream_error", r"internal ?server ?error|server_error|bad gateway"),
    )
)  # fmt: skip
_STATUS = re.compile(r"(?<![\d.,$])([345]\d\d)(?![\d.,]*\d)")


def diagnose_text(text: str) -> Diagnosis:
    """What a pasted message, log line or traceback most likely means; topic unknown when nothing is recognised.

    Only the topic, status and nothing else of the text is kept: it may hold a key.
    """
    text = text[:MAX_TEXT_CHARS]
    status = next((int(found) for found in _STATUS.findall(text) if int(found) in _TOPIC_BY_STATUS), None)
    if status is None:
        status = next((int(found) for found in _STATUS.findall(text) if int(found) >= 500), None)
    by_words = next((topic for topic, pattern in _WORDS if pattern.search(text)), None)
    by_kind = TOPIC_BY_KIND.get(text.strip().lower())
    by_status = None if status is None else _TOPIC_BY_STATUS.get(status, "upstream_error")
    return Diagnosis(topic=by_kind or by_words or by_status or "unknown", status_code=status)
