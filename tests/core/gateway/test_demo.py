"""The demo upstream is a real server that speaks three dialects, misbehaves on request and notices who leaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gateway import ChatRequest, Gateway, Policy, Target
from core.gateway.chat import Message
from core.gateway.demo import DemoControl, DemoServer
from core.gateway.demo_answers import MODELS, answer, is_korean, pieces, shortened, token_count

ASK = [{"role": "user", "content": "What does a token cost?"}]


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with DemoServer(DemoControl(speed=200)) as server:
        yield server


@pytest.fixture(autouse=True)
def _heal(demo: DemoServer) -> Iterator[None]:
    demo.control.speed = 200
    yield
    demo.control.heal()
    demo.control.heal(key="mine")


def _post(demo: DemoServer, *, model: str = "gpt-4.1", key: str = "k", stream: bool = False, **more: Any) -> Any:
    body = {"model": model, "messages": ASK, "stream": stream, **more}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{demo.origin}/openai/v1/chat/completions", json=body, headers=headers, trust_env=False)


def _until(done: Callable[[], bool], timeout_s: float = 5.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.01)
    return False


def test_nothing_runs_before_start_and_after_stop() -> None:
    before = threading.active_count()
    server = DemoServer()
    with pytest.raises(RuntimeError, match="start"):
        _ = server.origin

    with server:
        assert server.origin.startswith("http://127.0.0.1:")
        assert server.start().is_running
    assert not server.is_running
    assert threading.active_count() == before


def test_an_openai_answer_is_marked_as_simulated_and_reports_usage(demo: DemoServer) -> None:
    reply = _post(demo).json()

    text = reply["choices"][0]["message"]["content"]
    assert text.startswith("**Simulated answer")
    assert "What does a token cost?" in text
    assert reply["usage"]["completion_tokens"] == token_count(text)
    assert reply["model"] == "gpt-4.1"


def test_an_openai_stream_joins_to_the_same_text_and_ends_with_usage_and_done(demo: DemoServer) -> None:
    whole = _post(demo).json()["choices"][0]["message"]["content"]
    lines = _post(demo, stream=True, stream_options={"include_usage": True}).text.split("\n\n")

    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line and "[DONE]" not in line]
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]) == whole
    assert chunks[-1]["usage"]["completion_tokens"] > 0
    assert "data: [DONE]" in lines


def test_anthropic_answers_in_its_own_shape(demo: DemoServer) -> None:
    url, head = f"{demo.origin}/anthropic/v1/messages", {"x-api-key": "k"}
    body = {"model": "claude-sonnet-4-5", "max_tokens": 500, "system": "Be brief.", "messages": ASK}

    whole = httpx.post(url, json=body, headers=head, trust_env=False).json()
    stream = httpx.post(url, json={**body, "stream": True}, headers=head, trust_env=False).text

    assert whole["stop_reason"] == "end_turn"
    assert "system prompt" in whole["content"][0]["text"]
    assert stream.startswith("event: message_start")
    assert stream.rstrip().endswith('data: {"type": "message_stop"}')


def test_anthropic_wants_max_tokens(demo: DemoServer) -> None:
    body = {"model": "claude-sonnet-4-5", "messages": ASK}
    reply = httpx.post(f"{demo.origin}/anthropic/v1/messages", json=body, trust_env=False)

    assert reply.status_code == 400
    assert "max_tokens" in reply.json()["error"]["message"]


@pytest.mark.parametrize("call", ["generateContent", "streamGenerateContent?alt=sse"])
def test_gemini_answers_in_its_own_shape(demo: DemoServer, call: str) -> None:
    url = f"{demo.origin}/google/v1beta/models/gemini-2.5-flash:{call}"
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "generationConfig": {"maxOutputTokens": 900}}
    text = httpx.post(url, json=body, headers={"x-goog-api-key": "k"}, trust_env=False).text

    last = json.loads(text.strip().split("\n\n")[-1].removeprefix("data: "))
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"]["candidatesTokenCount"] > 0


@pytest.mark.parametrize("endpoint", ["openai", "anthropic", "google", "deepseek"])
def test_every_seller_lists_its_models(demo: DemoServer, endpoint: str) -> None:
    root = "v1beta" if endpoint == "google" else "v1"
    text = httpx.get(f"{demo.origin}/{endpoint}/{root}/models", trust_env=False).text

    assert all(one.name in text for one in MODELS if one.provider_id == endpoint)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("rate_limited", 429), ("server_error", 500), ("overloaded", 503), ("invalid_model", 404), ("auth", 401),
        ("quota", 429),
    ],
)  # fmt: skip
def test_a_fault_refuses_with_its_status(demo: DemoServer, fault: str, status: int) -> None:
    demo.control.set_fault("gpt-4.1", fault)
    reply = _post(demo)

    assert reply.status_code == status
    assert reply.headers.get("retry-after") == ("20" if fault == "rate_limited" else None)
    assert demo.control.visits()[-1].ending == "refused"


def test_every_seller_says_in_its_own_way_that_no_credit_is_left(demo: DemoServer) -> None:
    kinds = {}
    with Gateway(demo.endpoints("mine"), policy=Policy(max_attempts=1)) as gateway:
        for one in MODELS:
            demo.control.set_fault(one.name, "quota")
            target = Target(endpoint=f"demo-{one.provider_id}", model=one.name)
            for event in gateway.stream(ChatRequest(messages=ASK), [target]):
                kinds[one.dialect] = event.error.kind if event.kind == "failed" else event.kind

    assert kinds == dict.fromkeys(("openai", "anthropic", "gemini"), "quota")


def test_a_401_echoes_the_key_as_real_sellers_do(demo: DemoServer) -> None:
    demo.control.set_fault("gpt-4.1", "auth")

    assert "sk-very-secret" in _post(demo, key="sk-very-secret").text


@pytest.mark.parametrize("stream", [True, False])
def test_a_cut_answer_ends_without_its_end(demo: DemoServer, stream: bool) -> None:
    demo.control.set_fault("gpt-4.1", "cut")

    with pytest.raises(httpx.RemoteProtocolError):
        _post(demo, stream=stream)
    assert _until(lambda: demo.control.visits()[-1].ending == "cut")


def test_an_empty_answer_is_a_200_without_text(demo: DemoServer) -> None:
    demo.control.set_fault("gpt-4.1", "empty")

    assert _post(demo, stream=True).text == "data: [DONE]\n\n"
    assert _post(demo).text == ""


def test_a_hanging_model_notices_that_its_reader_left(demo: DemoServer) -> None:
    demo.control.set_fault("gpt-4.1", "hang")

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{demo.origin}/openai/v1/chat/completions", json={"model": "gpt-4.1", "messages": ASK}, timeout=0.2,
            trust_env=False,
        )  # fmt: skip
    assert _until(lambda: demo.control.visits()[-1].ending == "closed_by_client")


def test_a_stream_notices_that_its_reader_left(demo: DemoServer) -> None:
    demo.control.speed = 1
    body = {"model": "gpt-4.1", "messages": ASK, "stream": True}
    with httpx.stream("POST", f"{demo.origin}/openai/v1/chat/completions", json=body, trust_env=False) as reply:
        next(reply.iter_text())

    assert _until(lambda: demo.control.visits()[-1].ending == "closed_by_client")
    assert demo.control.visits()[-1].sent_pieces < 30


def test_a_fault_of_one_key_leaves_others_alone(demo: DemoServer) -> None:
    demo.control.set_fault("gpt-4.1", "server_error", key="mine")

    assert _post(demo, key="mine").status_code == 500
    assert _post(demo, key="other").status_code == 200
    demo.control.heal(key="mine")
    assert _post(demo, key="mine").status_code == 200


def test_the_control_route_sets_and_tells_faults(demo: DemoServer) -> None:
    head = {"authorization": "Bearer mine"}
    url = f"{demo.origin}/control"
    httpx.post(url, json={"model": "gpt-4.1", "fault": "overloaded"}, headers=head, trust_env=False)

    assert httpx.get(url, headers=head, trust_env=False).json() == {"faults": {"gpt-4.1": "overloaded"}}
    assert httpx.get(url, trust_env=False).json() == {"faults": {}}
    assert _post(demo, key="mine").status_code == 503


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model": "gpt-4.1"}', b'{"fault": "none"}', b"\xff", b'{"model": 1}'])
def test_a_bad_body_is_refused_in_words(demo: DemoServer, body: bytes) -> None:
    for path in ("/control", "/openai/v1/chat/completions"):
        reply = httpx.post(demo.origin + path, content=body, trust_env=False)
        assert reply.status_code == 400
        assert reply.json()


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="rate_limited"):
        DemoControl().set_fault("gpt-4.1", "gremlins")


def test_endpoints_are_named_as_simulated_and_reach_the_server(demo: DemoServer) -> None:
    endpoints = demo.endpoints("mine")

    assert {one.name for one in endpoints} == {f"demo-{one.provider_id}" for one in MODELS}
    assert all(one.name.startswith("demo-") and one.base_url.startswith(demo.origin) for one in endpoints)


@pytest.mark.parametrize("topic", ["code", "비용", "요약", "translate", "hi", "why?"])
def test_an_answer_is_in_the_language_of_the_question(topic: str) -> None:
    text = answer([Message(role="user", content=topic)], "gpt-4.1")

    assert is_korean(text) == is_korean(topic)
    assert ("시뮬레이션" if is_korean(topic) else "Simulated") in text


@given(st.text(max_size=300))
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(st.text(max_size=300), st.integers(1, 60), st.text(min_size=1, max_size=3))
def test_limits_shorten_and_say_why(text: str, max_tokens: int, stop: str) -> None:
    kept, finish = shortened(text, stop=[stop], max_tokens=max_tokens)

    assert text.startswith(kept)
    assert stop not in kept
    assert token_count(kept) <= max_tokens
    assert finish == ("stop" if kept == text.split(stop)[0] else "length")
