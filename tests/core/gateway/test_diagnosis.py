"""Every error has a cause, a check and a remedy in both languages, and pasted text finds the right one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateway import errors
from core.gateway.diagnosis import ARTICLE_TOPICS, PARTS, TOPIC_BY_KIND, TOPICS, diagnose, diagnose_text, topic_of
from core.i18n import LANGUAGES, t


def _leaves(root: type[errors.GatewayError]) -> list[type[errors.GatewayError]]:
    below = [leaf for child in root.__subclasses__() for leaf in _leaves(child)]
    return [root, *below]


LEAVES = [one for one in _leaves(errors.GatewayError) if one.__module__ == errors.__name__]
BRANCHES = {"gateway", "limit", "request", "credential", "target"}


@pytest.mark.parametrize("kind", sorted({one.kind for one in LEAVES} - BRANCHES))
def test_every_kind_has_a_topic(kind: str) -> None:
    assert topic_of(kind) != "unknown"


def test_no_topic_is_for_a_kind_that_does_not_exist() -> None:
    assert set(TOPIC_BY_KIND) <= {one.kind for one in LEAVES}


@pytest.mark.parametrize("lang", sorted(LANGUAGES))
@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_speaks_each_language(topic: str, lang: str) -> None:
    texts = [t(f"diagnosis.{topic}_{part}", lang) for part in PARTS]

    assert len(set(texts)) == len(PARTS)
    assert all(len(text) > 1 for text in texts)


def test_an_error_brings_its_facts() -> None:
    error = errors.RateLimitError("Too many.", status_code=429, retry_after_s=17.0)
    found = diagnose(error)

    assert (found.topic, found.status_code, found.retry_after_s) == ("rate_limited", 429, 17.0)
    assert found.remedy_key == "diagnosis.rate_limited_remedy"


def test_an_unknown_model_brings_its_suggestions() -> None:
    assert diagnose(errors.UnknownModelError("?", suggestions=["gpt-4.1"])).suggestions == ("gpt-4.1",)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("401 Unauthorized - Incorrect API key provided", "auth"),
        ("HTTP 401", "auth"),
        ("429 Too Many Requests", "rate_limited"),
        ("openai.RateLimitError: Error code: 429 - Rate limit reached for gpt-4.1", "rate_limited"),
        ("requests.exceptions.Timeout: Read timed out. (read timeout=30)", "slow"),
        ("요청 타임아웃 (30초 경과)", "slow"),
        ("requests.exceptions.ConnectionError: Max retries exceeded with url", "connect"),
        ('400 Bad Request: "Invalid model: gpt-4"', "model"),
        ("지원하지 않는 모델: gpt-4", "model"),
        ("404 page not found", "model"),
        ("Error code: 429 - insufficient_quota: You exceeded your current quota", "quota"),
        ("402 Payment Required", "quota"),
        ("This model's maximum context length is 8192 tokens", "context_length"),
        ("400 Bad Request: temperature must be below 2", "bad_request"),
        ("403 Forbidden", "forbidden"),
        ("ConnectionRefusedError: [Errno 111]", "connect"),
        ("httpx.ConnectError: All connection attempts failed", "connect"),
        ("ConnectionResetError: [Errno 104]", "cut"),
        ("CUDA_OUT_OF_MEMORY", "gpu_memory"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "gpu_memory"),
        ("overloaded_error: Overloaded (529)", "overloaded"),
        ("HTTP/1.1 502 Bad Gateway", "upstream_error"),
        ("status 520", "upstream_error"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "tls"),
        ("socket.gaierror: [Errno -2] Name or service not known", "dns"),
        ("connect ECONNREFUSED 127.0.0.1:11434", "connect"),
        ("httpx.RemoteProtocolError: peer closed connection without sending complete message body", "cut"),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", "cut"),
        ("json.decoder.JSONDecodeError: Expecting value: line 1 column 1", "bad_reply"),
        ("<!DOCTYPE html><title>Login</title>", "bad_reply"),
        ("promptFeedback blockReason PROHIBITED", "content_policy"),
        ("first_token_timeout", "slow"),
        ("target_closed", "target_closed"),
        ("", "unknown"),
        ("it just does not work", "unknown"),
        ("it cost $429.50 and took 404.2 ms", "unknown"),
    ],
)
def test_pasted_text_is_recognised(text: str, topic: str) -> None:
    assert diagnose_text(text).topic == topic


def test_the_articles_four_errors_are_first() -> None:
    assert set(ARTICLE_TOPICS) <= set(TOPICS)


@given(st.text(max_size=400))
def test_any_text_gets_a_known_topic_and_is_not_kept(text: str) -> None:
    found = diagnose_text(text)

    assert found.topic in TOPICS
    assert found.suggestions == ()
