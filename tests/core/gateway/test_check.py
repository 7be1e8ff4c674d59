"""The walk to an answer says at which step an endpoint stops, in time and without its key."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from core.gateway import CheckResult, Endpoint, Gateway, Policy
from core.gateway.demo import DEMO_KEY, DemoControl, DemoServer
from core.gateway.diagnosis import diagnose
from core.gateway.errors import GatewayError, UnknownEndpointError
from tests.core.gateway.test_lines import read_request, served
from tests.faults.upstream import KEY, HostileUpstream, completion, zipped
from tests.faults.upstream import http as answered

POLICY = Policy(deadline_s=5, connect_timeout_s=1, headers_timeout_s=1, first_token_timeout_s=2)
Answers = dict[str, tuple[int, object]]
REFUSED = (401, {"error": {"message": f"Incorrect API key provided: {KEY}", "type": "invalid_request_error"}})
LISTLESS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
MODELS = (200, {"data": [{"id": "m-1"}, {"id": "m-2"}]})


class Upstream:
    """Answers GET and POST as told; `slow_s` is waited first."""

    def __init__(self) -> None:
        self.answers: Answers = {"GET": MODELS, "POST": (200, completion("Yes."))}
        self.slow_s = 0.0
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                time.sleep(upstream.slow_s)
                self.rfile.read(int(self.headers.get("content-length") or 0))
                status, body = upstream.answers[self.command]
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = _answer  # noqa: N815  # names the library looks for

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    one = Upstream()
    thread = threading.Thread(target=one.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join(5)


def walk(base_url: str, *, policy: Policy = POLICY, **more: object) -> CheckResult:
    endpoint = Endpoint(name="one", base_url=base_url, api_key=KEY, **more)  # type: ignore[arg-type]
    with Gateway([endpoint], policy=policy) as gateway:
        return gateway.check("one", "m-1")


def states(result: CheckResult) -> dict[str, str]:
    return {step.name: step.status for step in result.steps}


def stopped(result: CheckResult) -> tuple[str, str]:
    """The step the walk stops at and the topic of its diagnosis."""
    assert result.stop is not None
    assert result.stop.error is not None
    return result.stop.name, diagnose(result.stop.error).topic


def test_a_working_endpoint_passes_every_step(upstream: Upstream) -> None:
    result = walk(f"http://localhost:{upstream.port}/v1")

    assert states(result) == {
        "dns": "ok", "tcp": "ok", "tls": "not_needed", "auth": "ok", "models": "ok", "call": "ok",
    }  # fmt: skip
    assert result.models == ("m-1", "m-2")
    assert result.is_working
    assert result.stop is None
    assert all((step.seconds is not None) == (step.status == "ok") for step in result.steps)


def test_an_address_needs_no_name_server(upstream: Upstream) -> None:
    assert states(walk(f"http://127.0.0.1:{upstream.port}/v1"))["dns"] == "not_needed"


def test_a_name_that_is_not_known_stops_at_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    result = walk("https://nothing.invalid/v1")

    assert stopped(result) == ("dns", "dns")
    assert set(list(states(result).values())[1:]) == {"skipped"}


def test_a_typed_name_that_leads_into_the_own_network_stops_at_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    def metadata(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", metadata)

    assert stopped(walk("http://harmless.example/v1", is_user_typed=True)) == ("dns", "base_url")


def test_a_closed_port_stops_at_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    assert stopped(walk(f"http://127.0.0.1:{port}/v1")) == ("tcp", "connect")


def test_a_plain_server_under_https_stops_at_tls(upstream: Upstream) -> None:
    result = walk(f"https://127.0.0.1:{upstream.port}/v1")

    assert stopped(result) == ("tls", "tls")
    assert states(result)["tcp"] == "ok"


def test_a_wrong_key_stops_at_the_key_and_is_not_repeated(upstream: Upstream) -> None:
    upstream.answers = {"GET": REFUSED, "POST": REFUSED}
    result = walk(f"http://127.0.0.1:{upstream.port}/v1")

    assert stopped(result) == ("auth", "auth")
    assert states(result)["call"] == "skipped"
    assert KEY not in repr(result)
    assert all(KEY not in str(step.error) + repr(getattr(step.error, "upstream_text", "")) for step in result.steps)


def test_a_seller_that_lists_its_models_to_anybody_still_shows_a_wrong_key(upstream: Upstream) -> None:
    upstream.answers["POST"] = REFUSED

    assert stopped(walk(f"http://127.0.0.1:{upstream.port}/v1")) == ("auth", "auth")


def test_a_seller_without_a_list_of_models_may_work(upstream: Upstream) -> None:
    upstream.answers["GET"] = (404, {"error": {"message": "no such path"}})
    result = walk(f"http://127.0.0.1:{upstream.port}/v1")

    assert states(result)["models"] == "failed"
    assert result.models is None
    assert result.is_working


def test_a_model_that_is_gone_stops_at_the_call(upstream: Upstream) -> None:
    upstream.answers["POST"] = (404, {"error": {"message": "The model m-1 does not exist", "code": "model_not_found"}})

    assert stopped(walk(f"http://127.0.0.1:{upstream.port}/v1")) == ("call", "model")


def test_a_server_that_says_nothing_is_left_in_time(upstream: Upstream) -> None:
    upstream.slow_s = 2.5
    start = time.monotonic()
    result = walk(f"http://127.0.0.1:{upstream.port}/v1", policy=Policy(deadline_s=1.0, headers_timeout_s=0.3))

    assert time.monotonic() - start < 2.4
    assert not result.is_working
    assert stopped(result) == ("models", "slow")


def test_a_list_of_models_that_does_not_come_says_nothing_about_the_key(upstream: Upstream) -> None:
    upstream.slow_s = 0.6
    policy = Policy(deadline_s=3, headers_timeout_s=0.3, first_token_timeout_s=0.4)
    result = walk(f"http://127.0.0.1:{upstream.port}/v1", policy=policy)

    assert {name: states(result)[name] for name in ("auth", "models", "call")} == {
        "auth": "skipped", "models": "failed", "call": "failed",
    }  # fmt: skip


def test_an_answer_proves_the_key_where_the_list_of_models_does_not(upstream: Upstream) -> None:
    upstream.answers["GET"] = (200, "no list")
    result = walk(f"http://127.0.0.1:{upstream.port}/v1")

    assert {name: states(result)[name] for name in ("auth", "models", "call")} == {
        "auth": "ok", "models": "failed", "call": "ok",
    }  # fmt: skip
    assert result.is_working


@pytest.mark.parametrize(
    ("answer", "kind"),
    [({}, "bad_reply"), ({"data": {}}, "bad_reply"), ([], "bad_reply"), ({"error": {"code": 401}}, "auth"),
     ({"error": {"message": "broke"}, "data": []}, "upstream_error")],
)  # fmt: skip
def test_a_list_of_models_that_is_none_is_an_error(upstream: Upstream, answer: object, kind: str) -> None:
    upstream.answers["GET"] = (200, answer)
    endpoint = Endpoint(name="one", base_url=f"http://127.0.0.1:{upstream.port}/v1", api_key=KEY)
    with Gateway([endpoint]) as gateway, pytest.raises(GatewayError) as caught:
        gateway.models("one")

    assert caught.value.kind == kind


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_of_models_is_a_list(upstream: Upstream, empty: list[str] | None) -> None:
    upstream.answers["GET"] = (200, {"data": empty})
    endpoint = Endpoint(name="one", base_url=f"http://127.0.0.1:{upstream.port}/v1", api_key=KEY)
    with Gateway([endpoint]) as gateway:
        assert gateway.models("one") == []


def test_a_packed_list_of_models_that_was_cut_is_an_error() -> None:
    cut = zipped(json.dumps({"data": [{"id": "m"}]}).encode())[:-8]
    with HostileUpstream({"cut": answered(200, cut, Content_Encoding="gzip")}) as server:
        endpoint = Endpoint(name="one", base_url=server.url("cut"), api_key=KEY)
        with Gateway([endpoint]) as gateway, pytest.raises(GatewayError) as caught:
            gateway.models("one")

    assert caught.value.kind == "truncated"


def test_an_endpoint_of_another_gateway_is_refused() -> None:
    with Gateway([]) as gateway, pytest.raises(UnknownEndpointError):
        gateway.check("nobody", "m")


def test_the_demo_passes_in_all_three_dialects_and_its_faults_are_found() -> None:
    with DemoServer(DemoControl(speed=200)) as demo:
        endpoints = demo.endpoints()
        with Gateway(endpoints, policy=POLICY) as gateway:
            for endpoint in endpoints:
                model = gateway.models(endpoint.name)[0]
                assert gateway.check(endpoint.name, model).is_working, endpoint.dialect
            demo.control.set_fault("gpt-4.1", "rate_limited")
            result = gateway.check("demo-openai", "gpt-4.1")
        assert stopped(result) == ("call", "rate_limited")
        assert isinstance(result.stop.error if result.stop else None, GatewayError)
        assert DEMO_KEY not in repr(result)


def test_a_model_that_never_answers_is_slow_not_late_in_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.gateway.check.CALL_LIMIT_S", 0.4)
    with DemoServer(DemoControl(speed=200)) as demo, Gateway(demo.endpoints()) as gateway:
        demo.control.set_fault("gpt-4.1", "hang")
        assert stopped(gateway.check("demo-openai", "gpt-4.1")) == ("call", "slow")


def test_each_step_is_told_as_it_is_taken(upstream: Upstream) -> None:
    told: list[str] = []
    endpoint = Endpoint(name="one", base_url=f"http://127.0.0.1:{upstream.port}/v1", api_key=KEY)
    with Gateway([endpoint], policy=POLICY) as gateway:
        gateway.check("one", "m-1", tell=lambda step: told.append(step.name))

    assert list(dict.fromkeys(told)) == ["dns", "tcp", "tls", "models", "auth", "call"]


def test_a_seller_without_a_list_who_hangs_up_unasked_still_shows_a_wrong_key() -> None:
    def serve(conn: socket.socket) -> None:
        is_list = read_request(conn).startswith(b"GET")
        conn.sendall(LISTLESS if is_list else answered(REFUSED[0], REFUSED[1]))

    for _ in range(10):
        with served(serve) as server:
            assert stopped(walk(f"{server.url}v1")) == ("auth", "auth")


def test_a_connection_that_gave_no_list_is_not_used_again() -> None:
    def serve(conn: socket.socket) -> None:
        while request := read_request(conn):
            assert request.startswith(b"GET")
            conn.sendall(LISTLESS)

    with served(serve) as server, Gateway([Endpoint(name="one", base_url=f"{server.url}v1", api_key=KEY)]) as gateway:
        for _ in range(2):
            with pytest.raises(GatewayError):
                gateway.models("one")
        assert server.connections == 2
