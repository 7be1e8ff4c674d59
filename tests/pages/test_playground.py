"""The playground answers over a real upstream, says what failed, and keeps keys, caps and markup in their place."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from core.gateway.chat import ChatRequest, FailedEvent, Message
from core.gateway.demo import FAULTS, DemoControl, DemoServer
from core.gateway.endpoints import PRESETS, Endpoint
from core.gateway.errors import AuthError
from core.i18n import t
from pages.parts import playground_side
from pages.parts.playground_export import export
from pages.parts.playground_stream import Turn
from pages.parts.playground_task import family
from pages.parts.playground_text import as_json, as_markdown, code_example, estimated_tokens, safe_markdown
from tests.conftest import LANGS
from tests.pages.conftest import OpenPage, assert_whole

SECRET = "sk-live-0123456789abcdef"  # invented for this test
CHAIN = ["demo-openai/gpt-4.1", "demo-anthropic/claude-sonnet-4-5"]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKEVEN_DEMO_SPEED", "500")


def send(at: AppTest, prompt: str = "What does a token cost?") -> AppTest:
    at.chat_input[0].set_value(prompt).run()
    assert_whole(at)
    return at


def break_it(at: AppTest, model: str, fault: str) -> None:
    at.selectbox(key=f"playground_fault_{model}").set_value(fault).run()


def everything(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error, *at.title, *at.metric, *at.code]
    return "\n".join(str(one.value) for one in shown) + "\n".join(str(one.label) for one in at.get("status"))


@pytest.mark.parametrize("lang", LANGS)
def test_a_prompt_is_answered_by_a_model_that_says_it_is_simulated(open_page: OpenPage, lang: str) -> None:
    at = open_page("playground", lang=lang, query={"playground_chain": CHAIN})
    word = "imulated" if lang == "en" else "시뮬레이션"
    assert word in at.info[0].value

    send(at)

    roles = [one.name for one in at.chat_message]
    assert roles == ["user", "assistant"]
    answer = at.chat_message[1]
    assert len(answer.markdown[0].value) > 20
    assert "gpt-4.1" in answer.caption[0].value
    assert "$" in answer.caption[0].value


def test_the_page_opens_at_its_top(open_page: OpenPage) -> None:
    at = open_page("playground")

    assert not at.chat_input[0].proto.is_auto_positioned_at_bottom


def test_side_by_side_begins_with_as_many_models_as_fit(open_page: OpenPage) -> None:
    chosen = open_page("playground", query={"playground_mode": "side"}).multiselect(key="playground_side").value

    assert len(chosen) == 4
    assert "demo-google/gemini-2.5-flash" in chosen
    assert "demo-openai/gpt-4o-mini" not in chosen


def test_the_price_is_known_before_and_counted_after(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN[0]})
    assert " – " in at.metric[0].value
    assert at.metric[1].delta == "+ $0.00 simulated"

    send(at)

    assert at.metric[1].value == "$0.00"
    assert at.metric[1].delta != "+ $0.00 simulated"


@pytest.mark.parametrize("fault", [one for one in FAULTS if one not in {"none", "hang", "slow_first_token", "cut"}])
def test_a_broken_model_is_left_and_the_trace_says_why(open_page: OpenPage, fault: str) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN})
    break_it(at, "gpt-4.1", fault)
    send(at)

    assert "claude-sonnet-4-5" in at.chat_message[1].caption[0].value
    assert len([one for one in at.get("status") if "gpt-4.1" in one.label]) == 1
    assert not at.error


def test_half_an_answer_is_kept_marked_and_continued_by_the_next_model(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN})
    break_it(at, "gpt-4.1", "cut")
    send(at)

    assert "Incomplete" in at.chat_message[1].warning[0].value
    half = at.chat_message[1].markdown[0].value
    at.button(key="playground_continue").click().run()

    assert_whole(at)
    assert [one.name for one in at.chat_message] == ["user", "assistant", "assistant"]
    assert at.chat_message[1].markdown[0].value == half
    assert "claude-sonnet-4-5" in at.chat_message[2].caption[0].value


@pytest.mark.parametrize(("lang", "word"), [("en", "401"), ("ko", "401")])
def test_when_every_model_fails_the_reason_and_a_way_on_are_given(open_page: OpenPage, lang: str, word: str) -> None:
    at = open_page("playground", lang=lang, query={"playground_chain": CHAIN[0]})
    break_it(at, "gpt-4.1", "auth")
    send(at)

    assert word in at.error[0].value
    break_it(at, "gpt-4.1", "none")
    at.button(key="playground_again").click().run()
    assert_whole(at)
    assert not at.error
    assert "gpt-4.1" in at.chat_message[1].caption[0].value


@pytest.mark.parametrize("lang", LANGS)
def test_when_a_whole_chain_fails_the_first_reason_comes_first(open_page: OpenPage, lang: str) -> None:
    at = open_page("playground", lang=lang, query={"playground_chain": CHAIN})
    break_it(at, "gpt-4.1", "auth")
    break_it(at, "claude-sonnet-4-5", "invalid_model")
    send(at)

    said = at.error[0].value
    assert said.startswith(t("playground.none_answered", lang, count=2, model="gpt-4.1"))
    assert t("diagnosis.auth_title", lang) in said
    assert t("diagnosis.model_title", lang) not in said
    moved = [t("playground.step_moved", lang) in one.label for one in at.get("status") if "demo-" in one.label]
    assert moved == [True, False]


@pytest.mark.parametrize("lang", LANGS)
def test_how_many_models_are_broken_is_seen_without_a_click(open_page: OpenPage, lang: str) -> None:
    at = open_page("playground", lang=lang)
    labels = [one.proto.popover.label for one in at.get("popover")]
    assert t("playground.break_it", lang) in labels
    break_it(at, "gpt-4.1", "auth")
    break_it(at, "claude-sonnet-4-5", "hang")

    labels = [one.proto.popover.label for one in at.get("popover")]
    assert t("playground.break_it_on", lang, count=2) in labels


@pytest.mark.parametrize("lang", LANGS)
def test_what_the_cap_counts_is_said_beside_it(open_page: OpenPage, lang: str) -> None:
    at = open_page("playground", lang=lang, query={"playground_chain": CHAIN[0]})
    assert t("playground.cap_counts", lang) in [one.value for one in at.caption]
    break_it(at, "gpt-4.1", "cut")
    send(at)

    assert "estimate" in at.chat_message[1].warning[0].value or "추정치" in at.chat_message[1].warning[0].value


def test_code_and_files_in_side_by_side_are_those_of_the_comparison(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_mode": "side", "playground_side": CHAIN})
    assert not at.get("download_button")
    send(at, "Only compared")
    at.session_state["playground_code_open"] = True
    at.run()

    assert_whole(at)
    assert "Only compared" in at.code[0].value
    assert [one.proto.label for one in at.get("download_button")][:2] == ["JSON", "Markdown"]
    at.button(key="playground_clear").click().run()
    assert not at.chat_message


def test_a_comparison_as_a_file_holds_its_prompt_and_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = [Turn(role="assistant", text="A", model="a"), Turn(role="assistant", text="B", model="b")]
    kept = {playground_side.LANES: lanes, playground_side.PROMPT: "Which?"}
    monkeypatch.setattr("pages.parts.playground_side.st.session_state", kept)

    assert [one.text for one in playground_side.comparison()] == ["Which?", "A", "B"]


def test_a_lane_that_has_ended_says_so_while_others_are_written(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drawing is looked at in the middle: with one lane answered, one failed and one silent for three seconds."""

    def halfway(turns: list[Turn], paint: Callable[[Turn], None], *, tick: Callable[[], None]) -> None:
        whole, failed, silent = turns
        list(map(whole.take, whole.stream))
        failed.take(FailedEvent(error=AuthError("No.")))
        silent.began -= 3
        for turn in (whole, failed):
            paint(turn)
        tick()
        for turn in turns:
            turn.stop()
        raise StopException

    monkeypatch.setattr(playground_side, "follow", halfway)
    models = [*CHAIN, "demo-deepseek/deepseek-chat"]
    at = open_page("playground", query={"playground_mode": "side", "playground_side": models})
    send(at)

    seen = [one.value for one in at.caption]
    assert not [one for one in seen if "is writing" in one]
    assert "Waiting for deepseek-chat … 3 s of 120 s at most" in seen
    assert any("gpt-4.1" in one and "first token" in one for one in seen)
    assert "401" in at.error[0].value


def test_an_answer_ended_by_the_toolbar_is_shown_as_stopped_and_frees_the_cap(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(turns: list[Turn], *_: object, **__: object) -> None:
        raise StopException

    with monkeypatch.context() as patch:
        patch.setattr("pages.parts.playground_chat.follow", stopped)
        at = send(open_page("playground", query={"playground_chain": CHAIN[0]}))
    at.run()

    assert_whole(at)
    assert at.chat_message[1].warning[0].value == t("playground.ending_cancelled", "en")
    assert not at.get("progress")[0].proto.text.count("set aside")


def test_a_refused_choice_says_which_one_holds(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_mode": "nonsense"})

    assert any(t("playground.mode_chat", "en") in one.value for one in at.warning)


@pytest.mark.parametrize("lang", LANGS)
def test_a_dead_upstream_is_left_at_once_or_explained(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    dead = Endpoint(name="openai", base_url=f"http://127.0.0.1:{port}/v1", api_key="k", models=("gone",))
    monkeypatch.setattr("pages.parts.gateway.real_endpoints", lambda: (dead,))

    alone = send(open_page("playground", lang=lang, query={"playground_chain": ["openai/gone"]}))
    assert len(alone.error) == 1
    assert not alone.chat_message[1].caption

    helped = send(open_page("playground", lang=lang, query={"playground_chain": ["openai/gone", CHAIN[0]]}))
    assert not helped.error
    assert "gpt-4.1" in helped.chat_message[1].caption[0].value


def test_the_cap_stops_clearly_before_anything_is_sent(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN[0]})
    at.number_input(key="playground_cap").set_value(0.0).run()
    send(at)

    assert "spending cap" in at.warning[0].value
    assert not at.chat_message
    assert not at.error


@pytest.mark.parametrize(("prompt", "sentence"), [("   ", "empty"), ("x" * 1_000_000, "longer than 200,000")])
def test_a_prompt_that_cannot_be_sent_is_one_sentence(open_page: OpenPage, prompt: str, sentence: str) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN[0]})
    send(at, prompt)

    assert any(sentence in one.value for one in at.warning)
    assert not at.chat_message


def test_no_model_and_unknown_models_are_said(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_chain": ["demo-openai/gone", "<script>"]})
    assert any("gone" in one.value for one in at.warning)
    assert len(at.multiselect(key="playground_chain").value) == 3  # those to begin with
    at.multiselect(key="playground_chain").set_value([]).run()
    assert any("Pick at least one model" in one.value for one in at.warning)
    send(at)
    assert not at.chat_message


@pytest.mark.parametrize("lang", LANGS)
def test_models_answer_side_by_side_and_get_votes(open_page: OpenPage, lang: str) -> None:
    at = open_page("playground", lang=lang, query={"playground_mode": "side", "playground_side": CHAIN})
    break_it(at, "claude-sonnet-4-5", "server_error")
    send(at)
    at.button(key="playground_vote_0").click().run()

    assert_whole(at)
    table = at.dataframe[0].value
    assert list(table["votes"]) == [1, 0]
    assert table["cost"].notna().tolist() == [True, False]
    assert len(at.error) == 1


def test_the_settings_reach_the_upstream_clamped(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN[0]})
    at.number_input(key="playground_max_tokens").set_value(3).run()
    send(at)

    assert "3 out" in at.chat_message[1].caption[0].value


@pytest.mark.parametrize("pace", ["fast", "0", "-1"])
def test_the_simulated_models_are_there_whatever_their_pace_is_set_to(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch, pace: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_DEMO_SPEED", pace)

    at = open_page("playground")

    assert t("playground.simulated_note", "en") in [one.value for one in at.info]


def test_a_typed_key_is_kept_nowhere_but_in_memory(open_page: OpenPage, database_url: str) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN[0]})
    at.text_input(key="playground_key").set_value(f"  {SECRET}  ").run()
    at.button(key="playground_key_save").click().run()
    send(at)

    assert t("playground.keys_set", "en", sellers="HolySheep") in [one.value for one in at.caption]
    assert at.text_input(key="playground_key").value == ""
    assert SECRET not in everything(at) + json.dumps(dict(at.query_params))
    path = Path(database_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        assert SECRET not in "\n".join(connection.iterdump())


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "ключ-из-букв", "https://api.openai.com/v1 "])
def test_what_cannot_be_a_key_is_refused_or_taken_as_it_is_but_never_shown(open_page: OpenPage, key: str) -> None:
    at = open_page("playground")
    at.text_input(key="playground_key").set_value(key).run()
    at.button(key="playground_key_save").click().run()

    assert_whole(at)
    if any(sign.isspace() for sign in key.strip()) or not key.isascii():
        assert "cannot be a key" in at.error[0].value
    assert key.strip() not in everything(at)


def test_two_visits_do_not_share_faults_or_conversations(open_page: OpenPage) -> None:
    one = open_page("playground", query={"playground_chain": CHAIN[0]})
    break_it(one, "gpt-4.1", "server_error")
    two = open_page("playground", query={"playground_chain": CHAIN[0]})
    send(two)

    assert not two.error
    assert len(two.chat_message) == 2
    assert not one.chat_message


def test_a_conversation_is_cleared(open_page: OpenPage) -> None:
    at = open_page("playground", query={"playground_chain": CHAIN[0]})
    send(at)
    at.button(key="playground_clear").click().run()

    assert not at.chat_message


@pytest.mark.parametrize("kind", ["curl", "httpx", "openai"])
@pytest.mark.parametrize("name", ["openai", "anthropic", "google", "holysheep"])
def test_code_makes_the_same_call_and_holds_no_key(kind: str, name: str) -> None:
    asked = ChatRequest(messages=[Message(role="user", content='He said "it\'s $5"\nand left.')], temperature=0.5)
    text = code_example(kind, PRESETS[name].endpoint(SECRET), "some-model", asked)

    assert SECRET not in text
    assert "PUT_KEY_HERE" not in text
    assert "API_KEY" in text
    assert "some-model" in text
    if kind != "curl":
        compile(text, "example", "exec")
        # What opens a bracket is closed at the same depth.
        lines = text.splitlines()
        depths = [len(line) - len(line.lstrip()) for line in lines]
        for number, line in enumerate(lines):
            if line.endswith(("{", "[", "(")):
                after = next(one for one in range(number + 1, len(lines)) if depths[one] <= depths[number])
                assert lines[after].lstrip()[0] in "}])", line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("![x](https://tracker.example/p.png)", r"\![x](https://tracker.example/p.png)"),
        ("costs $5 and $6", r"costs \$5 and \$6"),
        ("`<b>` stays", "`<b>` stays"),
        ("a :red[word]", r"a \:red[word]"),
    ],
)
def test_an_answer_is_shown_without_markup_that_acts(text: str, shown: str) -> None:
    assert safe_markdown(text) == shown


def test_a_huge_answer_is_cut_for_the_screen_only() -> None:
    assert len(safe_markdown("| a | b |\n" * 100_000)) <= 100_000


def test_exports_hold_the_conversation() -> None:
    rows = [{"role": "user", "text": "안녕"}, {"role": "assistant", "text": "Hi", "model": "m", "outcome": "ok"}]

    assert json.loads(as_json(rows))["conversation"][0]["text"] == "안녕"
    assert as_markdown(rows) == "## user\n\n안녕\n\n## assistant (m · ok)\n\nHi\n"


def test_an_export_says_why_there_is_no_answer_or_not_all_of_it() -> None:
    failed = Turn(role="assistant", model="m", ending="error", error=AuthError("No."))
    stopped = Turn(role="assistant", model="m", text="Half", ending="cancelled")
    written = as_markdown(export([Turn(role="user", text="Why?"), failed, stopped]))

    assert f"## assistant (m · error)\n\n*{t('diagnosis.auth_title', 'en')}." in written
    assert f"Half\n\n*{t('playground.ending_cancelled', 'en')}*" in written


def test_tokens_are_guessed_within_reason() -> None:
    assert estimated_tokens("The quick brown fox jumps over the lazy dog.") == pytest.approx(10, abs=3)
    assert estimated_tokens("안녕하세요 반갑습니다") == pytest.approx(8, abs=3)


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """A real endpoint of the operator's, for the program: what is called there costs the list price."""
    with DemoServer(DemoControl(speed=500)) as server:
        monkeypatch.setenv("BREAKEVEN_BASE_URL_PROXY", f"{server.origin}/openai/v1")
        monkeypatch.setenv("BREAKEVEN_MODELS_PROXY", "gpt-4.1,nobody-knows-me")
        yield server


@pytest.mark.parametrize("lang", LANGS)
def test_a_cap_of_the_operator_is_a_clear_stop(
    open_page: OpenPage, priced: DemoServer, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_DAY", "0.000001")
    at = send(open_page("playground", lang=lang, query={"playground_chain": ["proxy/gpt-4.1"]}))

    assert at.chat_message[1].warning[0].value == t("playground.cap_stop", lang)
    assert not at.error
    assert not priced.control.visits()
    assert any(("$0.00" in one.value) for one in at.caption)

    send(at.multiselect(key="playground_chain").set_value(CHAIN).run())
    assert "gpt-4.1" in at.chat_message[3].caption[0].value


@pytest.mark.parametrize("lang", LANGS)
def test_under_a_cap_a_model_without_a_price_is_not_called(
    open_page: OpenPage, priced: DemoServer, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_USER", "5")
    at = send(open_page("playground", lang=lang, query={"playground_chain": ["proxy/nobody-knows-me"]}))

    assert at.chat_message[1].warning[0].value == t("playground.cap_unpriced", lang)
    assert not priced.control.visits()


def test_the_operators_cap_of_a_session_is_the_most_a_visitor_can_set(
    open_page: OpenPage, priced: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAKEVEN_CAP_USD_PER_SESSION", "0.25")
    at = open_page("playground", query={"playground_chain": ["proxy/gpt-4.1"]})
    at.number_input(key="playground_cap").set_value(5.0).run()
    assert at.number_input(key="playground_cap").value == 0.25
    assert any("5 is too large, so 0.25 is used" in one.value for one in at.warning)
    send(at)

    assert "of $0.25" in "\n".join(one.value for one in at.caption).replace("\\", "")
    assert "gpt-4.1" in at.chat_message[1].caption[0].value


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    ("task", "first"),
    [
        ("fast_response", "demo-google/gemini-2.5-flash"),
        ("high_quality", "demo-openai/gpt-4.1"),
        ("balanced", "demo-anthropic/claude-sonnet-4-5"),
        ("code_heavy", "demo-deepseek/deepseek-chat"),
    ],
)
def test_a_task_sets_the_chain_and_says_what_a_call_costs(
    open_page: OpenPage, lang: str, task: str, first: str
) -> None:
    at = open_page("playground", lang=lang)
    at.button_group(key="playground_task").set_value(task).run()

    assert_whole(at)
    chain = at.multiselect(key="playground_chain").value
    assert chain[0] == first
    assert len(chain) == 4
    costs = next(one.value for one in at.caption if "→" in one.value)
    assert costs.count("$") == 4
    send(at)
    assert first.split("/")[1] in at.chat_message[1].caption[0].value

    at.multiselect(key="playground_chain").set_value(CHAIN).run()
    assert_whole(at)
    assert not [one for one in at.caption if "→" in one.value]


def test_a_task_takes_real_models_before_simulated_ones_and_the_cheapest_first(
    open_page: OpenPage, priced: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAKEVEN_MODELS_PROXY", "gpt-4,gpt-4.1,gpt-4.1-mini,gpt-4o")
    at = open_page("playground")
    at.button_group(key="playground_task").set_value("high_quality").run()

    chain = at.multiselect(key="playground_chain").value
    assert chain == ["proxy/gpt-4.1", "proxy/gpt-4o", "proxy/gpt-4"]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("anthropic/claude-sonnet-4-20250514", "claude-sonnet-4-5", True),
        ("deepseek/deepseek-chat-v3.2", "deepseek-chat", True),
        ("google/gemini-2.5-flash", "gemini-2.5-flash-lite", False),
        ("openai/gpt-4.1", "openai/gpt-4.1-mini", False),
        ("openai/gpt-4.1", "gpt-5", True),
    ],
)
def test_a_family_is_a_name_without_seller_version_and_date(one: str, other: str, is_same: bool) -> None:
    assert (family(one) == family(other)) is is_same
