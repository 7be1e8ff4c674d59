"""The connections page: keys are never shown, health comes from the log, every error has its explanation."""

from __future__ import annotations

import dataclasses
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from core.catalog.database import open_engine
from core.costs.tokens import PriceSheet
from core.gateway import PRESETS, CheckResult, Gateway, Step
from core.gateway.demo import DemoControl, DemoServer
from core.gateway.diagnosis import TOPICS
from core.gateway.errors import AuthError
from core.i18n import t
from core.usage.entries import Entry
from core.usage.log import LogStatus
from core.usage.recorder import UsageLog
from core.usage.tables import create_tables
from core.usage.write import write
from pages.parts.connections_models import compare
from pages.parts.widgets import plain
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole

SECRET = "sk-live-0123456789abcdef"  # invented for this test


def attempt_of(number: int, outcome: str, **changes: object) -> Entry:
    plain: dict[str, object] = {
        "call_id": f"c{number}",
        "attempt_number": 1,
        "started_ms": int(time.time() * 1_000),
        "outcome": outcome,
        "provider_id": "openai",
        "endpoint": "openai",
        "latency_ms": 1_500,
    }
    return Entry(**(plain | changes))  # type: ignore[arg-type]


def everything(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.title, *at.metric, *at.selectbox]
    return "\n".join([*(str(one.value) for one in shown), *(one.value.to_csv() for one in at.dataframe)])


@pytest.mark.parametrize(
    ("lang", "title", "missing"), [("en", "Why does my call fail?", "missing"), ("ko", "호출이 왜 실패하나?", "없음")]
)
def test_without_a_log_and_keys_it_says_what_is_missing(
    open_page: OpenPage, lang: str, title: str, missing: str
) -> None:
    at = open_page("connections", lang=lang)

    assert at.title[0].value == title
    table = at.dataframe[0].value
    assert len(table) >= len(PRESETS)
    assert (table["key"] == missing).sum() == sum(preset.needs_key for preset in PRESETS.values())
    assert "OPENAI_API_KEY" in set(table["variable"])


def test_a_key_is_said_to_be_set_and_never_shown(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    at = open_page("connections")

    assert at.metric[0].value == "1"
    assert "set on the server" in everything(at)
    assert SECRET not in everything(at)


def test_health_comes_from_the_log(open_page: OpenPage, database_url: str) -> None:
    engine = open_engine(database_url)
    create_tables(engine)
    bad = attempt_of(9, "error", error_kind="auth", status_code=401)
    write(engine, [*(attempt_of(number, "ok") for number in range(3)), bad])
    engine.dispose()

    at = open_page("connections")
    assert at.metric[1].value == "75.0%"
    assert "401" in at.metric[2].value
    row = at.dataframe[0].value.set_index("label").loc["OpenAI"]
    assert (row["attempts"], row["ok"]) == (4, 75.0)
    assert row["when"].startswith(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("topic", TOPICS)
def test_every_error_has_its_explanation_in_both_languages(open_page: OpenPage, lang: str, topic: str) -> None:
    at = open_page("connections", lang=lang, query={"connections_error": topic})

    assert at.session_state["connections_error"] == topic
    parts = ("Cause", "Check", "Remedy") if lang == "en" else ("원인", "확인", "조치")
    shown = "\n".join(one.value for one in at.markdown)
    assert all(f"**{part}**" in shown for part in parts)


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("openai.AuthenticationError: Error code: 401 - Incorrect API key provided: " + SECRET, "401"),
        ("HTTP 429 Too Many Requests", "429"),
        ("<script>alert(1)</script>", "matches none of the known errors"),
    ],
)
def test_a_pasted_error_is_recognised_and_not_repeated(open_page: OpenPage, pasted: str, expected: str) -> None:
    at = open_page("connections")
    at.text_area(key="connections_pasted").set_value(pasted).run()

    assert not at.exception
    assert expected in everything(at)
    assert SECRET not in everything(at)
    assert "<script>" not in everything(at)
    assert "connections_pasted" not in at.query_params


@pytest.mark.parametrize(("lang", "sentence"), [("en", "demo-openai works"), ("ko", "demo-openai 정상")])
def test_a_working_endpoint_passes_its_test(open_page: OpenPage, lang: str, sentence: str) -> None:
    at = open_page("connections", lang=lang)
    at.selectbox(key="connections_endpoint").select("demo-openai").run()
    at.button(key="connections_test").click().run()

    assert not at.exception
    assert at.success[0].value == sentence
    assert len(at.dataframe) == 2


@pytest.mark.parametrize(("lang", "stop"), [("en", "**Key** stops here"), ("ko", "**키** 여기서 멈춤")])
def test_an_endpoint_that_refuses_is_diagnosed(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str, stop: str
) -> None:
    def refuse(_: Gateway, endpoint: str, model: str, **_more: object) -> CheckResult:
        assert model
        refused = Step(name="auth", status="failed", seconds=0.1, error=AuthError("Refused.", status_code=401))
        skipped = Step(name="call", status="skipped")
        return CheckResult(endpoint=endpoint, steps=(refused, skipped), models=None)

    monkeypatch.setattr(Gateway, "check", refuse)
    at = open_page("connections", lang=lang, query={"connections_error": "slow"})
    at.button(key="connections_test").click().run()

    assert not at.exception
    assert "demo" in at.error[0].value
    assert any(stop in one.value for one in at.markdown)
    assert sum("401" in one.value for one in at.markdown) == 1


def test_models_are_compared_with_the_catalog(open_page: OpenPage) -> None:
    def sheet(provider: str, is_retired: bool = False) -> PriceSheet:
        return SimpleNamespace(provider_id=provider, is_retired=is_retired)  # type: ignore[return-value]

    open_page("connections")
    sheets = {
        "anthropic/claude-sonnet-4-5": sheet("anthropic"),
        "anthropic/claude-old": sheet("anthropic"),
        "anthropic/claude-2": sheet("anthropic", is_retired=True),
        "openai/gpt-4.1": sheet("openai"),
    }
    found = compare(["claude-4.5-sonnet-20250929", "models/claude-sonnet-4-5", "claude-99"], "anthropic", sheets)
    assert [(one.state, one.catalog_name) for one in found] == [
        ("renamed", "anthropic/claude-sonnet-4-5"),
        ("same", "anthropic/claude-sonnet-4-5"),
        ("new", ""),
        ("gone", "anthropic/claude-old"),
    ]


def test_a_hostile_address_falls_back(open_page: OpenPage) -> None:
    at = open_page("connections", query={"connections_error": "<script>", "connections_pasted": SECRET})

    assert SECRET not in everything(at)
    assert at.session_state["connections_error"] == "auth"


def test_a_broken_database_is_one_sentence(open_page: OpenPage, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    at = open_page("connections", url=f"sqlite:///{broken}")

    assert not at.exception
    assert "damaged" in at.error[0].value


@pytest.mark.parametrize(("lang", "sentence"), [("en", "Type the name of a model"), ("ko", "모델 이름을")])
def test_a_server_whose_models_nobody_knows_asks_for_a_name(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str, sentence: str
) -> None:
    monkeypatch.setenv("OLLAMA_ENABLED", "1")
    at = open_page("connections", lang=lang)
    at.selectbox(key="connections_endpoint").select("ollama").run()
    at.button(key="connections_test").click().run()

    assert not at.exception
    assert sentence in at.warning[0].value


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an OpenAI-compatible server on this machine that is none of the program's own."""
    with DemoServer(DemoControl(speed=500)) as server:
        yield f"{server.origin}/openai/v1"


def add(at: AppTest, url: str, key: str = "", models: str = "") -> AppTest:
    at.text_input(key="connections_own_url").set_value(url)
    at.text_input(key="connections_own_key").set_value(key)
    at.text_input(key="connections_own_models").set_value(models)
    at.button(key="connections_own_save").click().run()
    assert_whole(at)
    return at


def test_without_the_operators_leave_no_address_can_be_typed(open_page: OpenPage) -> None:
    at = open_page("connections")

    assert not [one for one in at.text_input if one.key == "connections_own_url"]


@pytest.mark.parametrize(
    ("lang", "url", "key", "reason"),
    [
        ("en", "http://169.254.169.254/latest/meta-data", "", "forbidden"),
        ("ko", "http://169.254.169.254/latest/meta-data", "", "forbidden"),
        ("en", "http://llm.example.com/v1", "", "plain"),
        ("en", "llm.example.com", "", "address"),
        ("ko", "https://llm.example.com/v1", "two words", "key_refused"),
    ],
)
def test_an_address_that_is_refused_is_one_sentence(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str, url: str, key: str, reason: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    at = add(open_page("connections", lang=lang), url, key)

    assert [one.value for one in at.error] == [t(f"connections.own_{reason}", lang)]
    assert at.text_input(key="connections_own_key").value == ""


@pytest.mark.parametrize("lang", LANGS)
def test_a_typed_endpoint_is_used_at_once_in_the_playground_and_forgotten(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, upstream: str, lang: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    monkeypatch.setenv("BREAKEVEN_DEMO_SPEED", "500")
    at = add(open_page("connections", lang=lang), upstream, SECRET)
    host = upstream.split("/")[2]
    assert at.success[0].value == t("connections.own_added", lang, name=plain(host), count=2)
    assert host in set(at.dataframe[0].value["label"])
    assert SECRET not in everything(at)

    at.switch_page("pages/playground.py").run()
    at.multiselect(key="playground_chain").set_value([f"own-{host}/gpt-4.1"]).run()
    at.chat_input[0].set_value("What does a token cost?").run()
    assert_whole(at)
    assert "gpt-4.1" in at.chat_message[1].caption[0].value
    assert SECRET not in everything(at)

    at.switch_page("pages/connections.py").run()
    at.button(key=f"connections_remove_own-{host}").click().run()
    assert_whole(at)
    assert not [one for one in at.button if one.key.startswith("connections_remove")]


def test_an_endpoint_that_lists_nothing_asks_for_names(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, upstream: str
) -> None:
    elsewhere = upstream.replace("/openai/", "/nothing/")
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    at = add(open_page("connections"), elsewhere)
    assert "lists no models" in at.warning[0].value
    assert [one for one in at.button if (one.key or "").startswith("connections_remove")]

    add(at, elsewhere, models="one, two")
    assert "2 models" in at.success[0].value


@pytest.mark.parametrize("lang", LANGS)
def test_an_address_that_cannot_be_reached_is_not_kept(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://localhost:{taken.getsockname()[1]}/v1"
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    at = add(open_page("connections", lang=lang), url)

    name = plain(url.split("/")[2])
    assert at.error[0].value.startswith(t("connections.own_unreachable", lang, name=name))
    assert t("diagnosis.connect_title", lang) in at.error[0].value
    assert not at.warning
    assert url.split("/")[2] not in set(at.dataframe[0].value["label"])
    assert at.text_input(key="connections_own_url").value == url


def test_what_became_of_an_added_endpoint_is_said_inside_the_open_form(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, upstream: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    at = add(open_page("connections"), upstream)

    form = next(one for one in at.get("popover") if one.text_input)
    assert len(form.success) == 1


@pytest.mark.parametrize("lang", LANGS)
def test_a_missing_key_leads_to_where_one_is_entered(open_page: OpenPage, lang: str) -> None:
    at = open_page("connections", lang=lang)

    assert [one.proto.label for one in at.get("page_link")] == [t("connections.to_keys", lang)]
    assert t("playground.keys", lang) in t("connections.to_keys", lang)
    assert t("playground.keys", lang) in t("diagnosis.auth_remedy", lang)


def test_that_endpoints_of_ones_own_exist_is_said_while_they_are_off(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = t("connections.own_off", "en")
    assert sentence in everything(open_page("connections"))
    monkeypatch.setenv("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", "1")
    assert sentence not in everything(open_page("connections"))


def test_the_result_of_a_test_goes_away_with_its_endpoint(open_page: OpenPage) -> None:
    at = open_page("connections")
    at.selectbox(key="connections_endpoint").select("demo-openai").run()
    at.button(key="connections_test").click().run()
    assert at.success
    at.selectbox(key="connections_endpoint").select("demo-google").run()

    assert_whole(at)
    assert not at.success
    at.selectbox(key="connections_endpoint").select("demo-openai").run()
    assert not at.success


def test_a_test_under_way_says_what_is_done_and_for_how_long(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at when the script is ended in the middle."""
    going_on = threading.Event()

    def silent(_: Gateway, endpoint: str, _model: str, *, tell: Callable[[Step], object]) -> CheckResult:
        tell(Step(name="tcp", status="ok", seconds=0.1))
        going_on.wait(30)
        return CheckResult(endpoint=endpoint, steps=(Step(name="call", status="ok", seconds=1),), models=None)

    def some_waits(*_: object, **__: object) -> None:
        waits.append(1)
        time.sleep(0.4)
        if len(waits) > 4:
            raise StopException

    waits: list[int] = []
    monkeypatch.setattr(Gateway, "check", silent)
    monkeypatch.setattr("pages.parts.connections_test.wait", some_waits)
    at = open_page("connections")
    at.button(key="connections_test").click().run()
    going_on.set()

    status = at.get("status")[0]
    assert status.label == "Testing · 1 s"
    assert "**Connection (TCP)** works" in status.markdown[0].value


def test_a_refused_choice_says_which_error_is_shown_instead(open_page: OpenPage) -> None:
    at = open_page("connections", query={"connections_error": "nonsense"})

    assert plain(t("diagnosis.auth_title", "en")) in at.warning[0].value


@pytest.mark.parametrize("lang", LANGS)
def test_a_server_on_this_machine_is_found_with_one_click(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, upstream: str, lang: str
) -> None:
    here = {**PRESETS, "ollama": dataclasses.replace(PRESETS["ollama"], base_url=upstream)}
    monkeypatch.setattr("pages.parts.gateway_places.PRESETS", here)
    monkeypatch.setattr("pages.parts.gateway_places.is_visitor_here", lambda: True)
    at = open_page("connections", lang=lang)
    row = at.dataframe[0].value.set_index("label").loc["Ollama"]
    assert row["variable"] == "OLLAMA_ENABLED=1"
    at.button(key="connections_look_vllm").click().run()
    assert "vLLM" in at.info[0].value
    at.button(key="connections_look_ollama").click().run()

    assert_whole(at)
    assert "Ollama" in at.success[0].value
    assert at.dataframe[0].value.set_index("label").loc["Ollama"]["variable"] == ""
    assert "connections_look_ollama" not in {one.key for one in at.button}
    at.switch_page("pages/playground.py").run()
    at.multiselect(key="playground_chain").set_value(["ollama/gpt-4.1"]).run()
    assert_whole(at)


def test_who_comes_from_elsewhere_cannot_look_around_on_the_server(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_page("connections")
    assert not [one for one in at.button if (one.key or "").startswith("connections_look")]
    monkeypatch.setattr("pages.parts.gateway_places.is_visitor_here", lambda: True)
    monkeypatch.setenv("OLLAMA_ENABLED", "0")
    monkeypatch.setenv("VLLM_ENABLED", "0")
    at.run()
    assert not [one for one in at.button if (one.key or "").startswith("connections_look")]


@pytest.mark.parametrize("lang", LANGS)
def test_an_endpoint_that_rests_says_when_it_is_tried_again(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_DEMO_SPEED", "500")
    at = open_page(
        "playground", lang=lang, query={"playground_chain": ["demo-openai/gpt-4.1", "demo-google/gemini-2.5-flash"]}
    )
    at.selectbox(key="playground_fault_gpt-4.1").set_value("rate_limited").run()
    at.chat_input[0].set_value("What does a token cost?").run()
    at.switch_page("pages/connections.py").run()

    row = at.dataframe[0].value.set_index("label").loc["demo-openai"]
    assert row["breaker"] == t("connections.breaker_open", lang)
    assert any(sign.isdigit() for sign in row["next"])
    at.button(key="connections_refresh").click().run()
    assert_whole(at)


@pytest.mark.parametrize(("lang", "told"), [("en", "3 records"), ("ko", "기록 3건")])
def test_records_that_the_log_lost_are_told_only_when_there_are_any(
    open_page: OpenPage, lang: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told not in everything(open_page("connections", lang=lang))
    lost = LogStatus(waiting_count=0, written_count=9, dropped_count=2, refused_count=1, problem=None)
    monkeypatch.setattr(UsageLog, "status", lambda _log: lost)
    assert told in everything(open_page("connections", lang=lang))
