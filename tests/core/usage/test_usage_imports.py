"""Exports of other tools are read exactly, and what cannot be read is named."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.i18n import said
from core.usage.imports import MAX_BYTES, ExportRefusedError, own, read_export
from core.usage.imports.models import match_model, suggest_models
from core.usage.imports.rows import BadFieldError, Fields

OPENROUTER = (
    "generation_id,created_at,cost_total,cost_cache,byok_usage_inference,tokens_prompt,tokens_completion,"
    "tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,cancelled,finish_reason_normalized,"
    "generation_time_ms,time_to_first_token_ms,api_key_name"
)
GOOD = (
    "gen-1,2026-06-28 03:46:57.713,0.006,0,0,1000,500,20,200,openai/gpt-4.1-2025-04-14,OpenAI,standard,false,stop,"
    "2310,410,k1"
)
OPENAI: dict[str, Any] = {
    "object": "page",
    "data": [
        {
            "start_time": 1_730_419_200,
            "end_time": 1_730_505_600,
            "results": [
                {
                    "input_tokens": 1_000,
                    "output_tokens": 500,
                    "input_cached_tokens": 800,
                    "num_model_requests": 5,
                    "model": "gpt-4o-mini-2024-07-18",
                    "batch": False,
                }
            ],
        }
    ],
    "has_more": False,
}
LITELLM = (
    "request_id,api_key,spend,prompt_tokens,completion_tokens,startTime,endTime,request_duration_ms,"
    "completionStartTime,model,model_group,custom_llm_provider,metadata,status"
)
LITELLM_ROW = (
    "chat-1,hash1,6.1e-06,1000,500,2026-06-28T03:46:57Z,2026-06-28T03:46:59.5Z,,2026-06-28T03:46:57.4Z,gpt-4.1,g,"
    'openai,"{""usage_object"":{""prompt_tokens_details"":{""cached_tokens"":300}}}",success'
)


def csv_of(heading: str, *rows: str) -> bytes:
    return "\n".join([heading, *rows]).encode()


def openai_with(**changes: object) -> bytes:
    page = json.loads(json.dumps(OPENAI))
    page["data"][0]["results"][0] |= changes
    return json.dumps(page).encode()


def test_an_openrouter_row_is_read_in_the_logs_terms() -> None:
    (row,) = read_export(csv_of(OPENROUTER, GOOD)).rows

    assert (row.uid, row.model, row.provider_id) == ("gen-1", "openai/gpt-4.1-2025-04-14", "openai")
    assert (row.input_tokens, row.cached_input_tokens, row.output_tokens, row.reasoning_tokens) == (1_000, 200, 500, 20)
    assert row.pico_usd == 6_000_000_000
    assert (row.ttft_ms, row.latency_ms) == (410, 2_310)
    assert row.started_ms == 1_782_618_417_713


def test_columns_are_found_by_name_in_any_order() -> None:
    names, values = OPENROUTER.split(","), GOOD.split(",")
    turned = csv_of(",".join(reversed(names)), ",".join(reversed(values)))

    assert read_export(turned).rows == read_export(csv_of(OPENROUTER, GOOD)).rows


def test_what_the_own_provider_key_was_charged_is_added() -> None:
    (row,) = read_export(csv_of(OPENROUTER, GOOD.replace(",0.006,0,0,", ",0.001,0,0.02,"))).rows

    assert row.pico_usd == 21_000_000_000


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (",false,stop,", ",true,cancelled,", "cancelled"),
        (",false,stop,", ",false,error,", "error"),
        (",false,stop,", ",false,length,", "ok"),
    ],
)
def test_openrouter_outcomes(before: str, after: str, outcome: str) -> None:
    (row,) = read_export(csv_of(OPENROUTER, GOOD.replace(before, after))).rows

    assert row.outcome == outcome


@pytest.mark.parametrize(
    ("before", "after", "kind", "field"),
    [
        ("gen-1", "", "missing", "generation_id"),
        ("gen-1", "  ", "missing", "generation_id"),
        ("2026-06-28 03:46:57.713", "yesterday", "not_a_date", "created_at"),
        ("2026-06-28 03:46:57.713", "9026-06-28 03:46:57", "not_a_date", "created_at"),
        (",1000,", ",1e9999999,", "too_large", "tokens_prompt"),
        (",1000,", ",-5,", "negative", "tokens_prompt"),
        (",1000,", ",many,", "not_a_number", "tokens_prompt"),
        (",1000,", ",12.5,", "not_a_number", "tokens_prompt"),
        (",1000,", ",99999999999999999999,", "too_large", "tokens_prompt"),
        (",0.006,", ",-0.006,", "negative", "cost_total"),
        (",0.006,", ",nan,", "not_a_number", "cost_total"),
        (",0.006,", ",inf,", "not_a_number", "cost_total"),
        (",0.006,", ",1e30,", "too_large", "cost_total"),
        (",200,", ",2000,", "parts_exceed_whole", "cached_input_tokens"),
        (",k1", ",k1,shifted", "not_a_row", "row"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_others_stay(
    before: str, after: str, kind: str, field: str
) -> None:
    bad = GOOD.replace(before, after, 1)
    parsed = read_export(csv_of(OPENROUTER, bad, GOOD.replace("gen-1", "gen-2")))

    assert [row.uid for row in parsed.rows] == ["gen-2"]
    assert [(row.row_number, row.kind, row.field) for row in parsed.rejected] == [(2, kind, field)]


def test_a_row_repeated_in_the_file_counts_once() -> None:
    parsed = read_export(csv_of(OPENROUTER, GOOD, GOOD))

    assert len(parsed.rows) == 1
    assert parsed.repeated_count == 1


def test_an_openai_bucket_stands_for_its_requests_and_has_no_cost() -> None:
    parsed = read_export(openai_with())

    (row,) = parsed.rows
    assert (row.request_count, row.input_tokens, row.cached_input_tokens, row.output_tokens) == (5, 1_000, 800, 500)
    assert row.pico_usd is None
    assert row.started_ms == 1_730_419_200_000
    assert not parsed.has_more_pages


def test_openai_says_when_more_pages_follow_and_when_no_model_was_grouped_by() -> None:
    assert read_export(json.dumps(OPENAI | {"has_more": True}).encode()).has_more_pages
    assert read_export(openai_with(model=None)).rows[0].model == ""
    assert read_export(openai_with(batch=True)).rows[0].processing == "batch"


def test_a_list_of_openai_pages_is_one_export() -> None:
    other = json.loads(openai_with(model="gpt-5"))

    assert [row.model for row in read_export(json.dumps([OPENAI, other]).encode()).rows] == [
        "gpt-4o-mini-2024-07-18",
        "gpt-5",
    ]


def test_the_same_openai_bucket_has_the_same_id_though_its_figures_grew() -> None:
    first, later = read_export(openai_with()).rows[0], read_export(openai_with(output_tokens=900)).rows[0]

    assert first.uid == later.uid
    assert first != later


def test_legacy_openai_usage_is_read() -> None:
    row = {
        "aggregation_timestamp": 1_730_419_200,
        "n_requests": 3,
        "operation": "completion",
        "snapshot_id": "gpt-4o-2024-08-06",
        "n_context_tokens_total": 900,
        "n_generated_tokens_total": 90,
        "n_cached_context_tokens_total": 100,
    }
    (as_json,) = read_export(json.dumps({"object": "list", "data": [row]}).encode()).rows
    (as_csv,) = read_export(csv_of(",".join(row), ",".join(map(str, row.values())))).rows

    assert as_json == as_csv
    assert (as_json.request_count, as_json.input_tokens, as_json.cached_input_tokens) == (3, 900, 100)


def test_a_litellm_row_is_read_with_cached_tokens_from_its_metadata() -> None:
    (row,) = read_export(csv_of(LITELLM, LITELLM_ROW)).rows

    assert (row.input_tokens, row.cached_input_tokens, row.output_tokens) == (1_000, 300, 500)
    assert row.pico_usd == 6_100_000
    assert (row.latency_ms, row.ttft_ms) == (2_500, 400)


def test_litellm_cache_writes_of_anthropic_are_read() -> None:
    usage = '{""usage_object"":{""cache_read_input_tokens"":100,""cache_creation_input_tokens"":50}}'
    (row,) = read_export(
        csv_of(
            LITELLM,
            LITELLM_ROW.replace('{""usage_object"":{""prompt_tokens_details"":{""cached_tokens"":300}}}', usage),
        )
    ).rows

    assert (row.cached_input_tokens, row.cache_write_tokens) == (100, 50)


def test_litellm_as_json_gives_the_same_row_as_csv() -> None:
    record: dict[str, object] = {
        "request_id": "chat-1",
        "spend": 6.1e-06,
        "prompt_tokens": 1_000,
        "completion_tokens": 500,
        "startTime": "2026-06-28T03:46:57Z",
        "endTime": "2026-06-28T03:46:59.5Z",
        "completionStartTime": "2026-06-28T03:46:57.4Z",
        "model": "gpt-4.1",
        "custom_llm_provider": "openai",
        "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 300}}},
        "status": "success",
    }

    assert read_export(json.dumps([record]).encode()).rows == read_export(csv_of(LITELLM, LITELLM_ROW)).rows


@pytest.mark.parametrize("metadata", ["", "{", "[]", "null", "{}", '"{""usage_object"": 5}"', "[" * 900])
def test_broken_litellm_metadata_means_no_cached_tokens(metadata: str) -> None:
    row = LITELLM_ROW.split(",openai,")[0] + f",openai,{metadata},failure"

    (found,) = read_export(csv_of(LITELLM, row)).rows
    assert (found.cached_input_tokens, found.outcome) == (0, "error")


RECORD: dict[str, object] = {
    "request_id": "chat-1", "spend": 0.01, "prompt_tokens": 5, "completion_tokens": 1,
    "startTime": "2026-06-28T03:46:57Z", "model": "gpt-4.1",
}  # fmt: skip


def jsonl_of(*records: object) -> bytes:
    return "\n".join(record if isinstance(record, str) else json.dumps(record) for record in records).encode()


def test_json_lines_are_read_like_a_list_by_every_tool_that_writes_json() -> None:
    other = RECORD | {"request_id": "chat-2"}
    mine = {"timestamp": "2026-06-28", "model": "x", "input_tokens": 1, "output_tokens": 2}
    legacy = {"aggregation_timestamp": 1_730_419_200, "n_requests": 3, "snapshot_id": "a", "n_context_tokens_total": 9}

    for records in ([RECORD, other], [RECORD], [mine, mine | {"model": "y"}], [legacy], [OPENAI, OPENAI]):
        assert read_export(jsonl_of(*records, "")).rows == read_export(json.dumps(records).encode()).rows


@pytest.mark.parametrize(
    ("records", "line"),
    [
        ([RECORD, '{"request_id": "cut', RECORD], "2"),
        ([RECORD, "", RECORD, "x"], "4"),
        (["{", '  "data": [', "    nothing"], "3"),
    ],
)
def test_the_first_line_that_is_broken_is_named(records: list[object], line: str) -> None:
    with pytest.raises(ExportRefusedError) as refused:
        read_export(jsonl_of(*records))

    assert (refused.value.kind, str(refused.value.said.values["found"])) == ("broken_line", line)


def test_a_table_of_ones_own_needs_four_columns() -> None:
    (row,) = read_export(b"timestamp,model,input_tokens,output_tokens\n2026-06-28 03:46,openai/gpt-4.1,1000,500\n").rows

    assert (row.model, row.provider_id, row.request_count) == ("openai/gpt-4.1", "openai", 1)
    assert (row.input_tokens, row.output_tokens, row.pico_usd) == (1_000, 500, None)


def test_the_template_of_ones_own_table_is_read_whole() -> None:
    parsed = read_export(own.TEMPLATE.encode())

    one, many = parsed.rows
    assert (parsed.tool, parsed.rejected) == ("own", ())
    assert (one.uid, one.pico_usd, one.cached_input_tokens, one.latency_ms) == ("call-1", 6_400_000_000, 400, 2_300)
    assert (many.request_count, many.input_tokens, many.pico_usd) == (100, 150_000, None)


def test_an_unknown_table_is_told_its_columns_and_what_the_nearest_tool_asks_for() -> None:
    with pytest.raises(ExportRefusedError) as foreign:
        read_export(b"date,llm,tokens\n1,2,3\n")
    with pytest.raises(ExportRefusedError) as cut:
        read_export(csv_of(LITELLM.replace("request_id,", "").replace("spend,", ""), "a"))

    seen = foreign.value.said.values
    assert (seen["found"], seen["tool"]) == ("date, llm, tokens", said("usage.tool_own"))
    assert seen["missing"] == "input_tokens, model, output_tokens, timestamp"
    assert cut.value.said.values["tool"] == said("usage.tool_litellm")
    assert cut.value.said.values["missing"] == "request_id, spend"


def test_a_row_after_today_is_rejected_and_one_of_today_is_not() -> None:
    noon_s = 1_782_648_000.0  # 2026-06-28 12:00 UTC
    dates = ("2026-06-28 23:59:59", "2026-06-29 00:00:00")
    rows = [GOOD.replace("2026-06-28 03:46:57.713", date).replace("gen-1", date) for date in dates]
    parsed = read_export(csv_of(OPENROUTER, *rows), now_s=lambda: noon_s)

    assert [row.uid for row in parsed.rows] == [dates[0]]
    assert [(row.row_number, row.kind, row.given) for row in parsed.rejected] == [(3, "in_future", dates[1])]


def test_what_stood_in_a_rejected_row_is_shown_as_it_was_written() -> None:
    (shifted,) = read_export(csv_of(OPENROUTER, GOOD + ",extra,more")).rejected
    listed = read_export(json.dumps([RECORD, RECORD | {"prompt_tokens": ["a"]}, ["x"]]).encode()).rejected

    assert shifted.given == "extra, more"
    assert [row.given for row in listed] == ['["a"]', '["x"]']


def test_groq_counts_cached_as_what_is_not_fresh() -> None:
    heading = (
        "model,timestamp,num_requests,n_context_tokens_total,n_non_cached_context_tokens_total,"
        "n_generated_tokens_total,service_tier,cost"
    )
    parsed = read_export(
        csv_of(heading, "llama-3.3-70b,2026-11-01,7,900,600,90,flex,0.0012", "m,2026-11-02,1,5,9,1,,0")
    )

    (row,) = parsed.rows
    assert (row.cached_input_tokens, row.request_count, row.processing) == (300, 7, "flex")
    assert row.pico_usd == int(Decimal("0.0012") * 10**12)
    assert parsed.rejected[0].kind == "parts_exceed_whole"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"\xff\xfe\x00\x01\x02", "not_text"),
        (b"PK\x03\x04\x00\x00binary\xfe", "not_text"),
        (b"a,b\x00,c\n", "not_text"),
        (b"id,name,traceId,totalCost\n1,x,y,0.1\n", "unknown_format"),
        (b"<html><body>login</body></html>", "unknown_format"),
        (b"{not json", "broken"),
        (b"[" * 100_000, "broken"),
        (b'{"data": []}', "unknown_format"),
        (b"[1, 2]", "unknown_format"),
        (b'{"data": [{"start_time": 1, "results": []}]}', "no_rows"),
        (OPENROUTER.encode(), "no_rows"),
        (b'generation_id,created_at\n"open', "unknown_format"),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_one_sentence(data: bytes, kind: str) -> None:
    with pytest.raises(ExportRefusedError) as refused:
        read_export(data)

    assert refused.value.kind == kind
    assert "\n" not in str(refused.value)


def test_a_file_of_200_megabytes_is_refused_before_it_is_read() -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 200 * 1024 * 1024

    assert MAX_BYTES < 200 * 1024 * 1024
    with pytest.raises(ExportRefusedError) as refused:
        read_export(Huge(b"x"))
    assert refused.value.kind == "too_large"
    assert str(refused.value) == "The file has 200 MiB, at most 100 are read. Export a shorter period."
    assert refused.value.said.text("ko").startswith("파일이 200 MiB입니다. 최대 100 MiB까지")


def test_excel_forms_with_byte_order_marks_are_read() -> None:
    text = csv_of(OPENROUTER, GOOD).decode()

    assert read_export(text.encode("utf-8-sig")).rows == read_export(text.encode("utf-16")).rows
    assert read_export(text.replace("\n", "\r\n").encode()).rows == read_export(text.encode()).rows


def test_progress_is_told_while_reading() -> None:
    heard: list[int] = []
    read_export(csv_of(OPENROUTER, *(GOOD.replace("gen-1", f"gen-{n}") for n in range(12_000))), heard.append)

    assert heard == [5_000, 10_000]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ExportRefusedError):
        read_export(data)


@given(st.dictionaries(st.sampled_from(OPENROUTER.split(",")), st.text(max_size=20)))
def test_any_row_is_read_or_rejected(values: dict[str, str]) -> None:
    record = [values.get(name, "").replace('"', '""') for name in OPENROUTER.split(",")]
    data = csv_of(OPENROUTER, ",".join(f'"{value}"' for value in record))
    try:
        parsed = read_export(data.replace(b"\x00", b""))
    except (ExportRefusedError, UnicodeEncodeError):
        return
    assert len(parsed.rows) + len(parsed.rejected) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "data",
                        "results",
                        "start_time",
                        "num_model_requests",
                        "input_tokens",
                        "output_tokens",
                        "request_id",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(document: object) -> None:
    with contextlib.suppress(ExportRefusedError):
        read_export(json.dumps(document).encode())


@given(st.decimals(min_value=0, max_value=1_000_000, places=12))
def test_money_is_read_to_the_pico_dollar(amount: Decimal) -> None:
    assert Fields({"cost": str(amount)}).pico_usd("cost") == int(amount * 10**12)


@pytest.mark.parametrize("value", [True, 1.5, "x", [], {}])
def test_a_count_is_a_whole_number(value: object) -> None:
    with pytest.raises(BadFieldError, match="tokens"):
        Fields({"tokens": value}).count("tokens")


KNOWN = ["openai/gpt-4.1", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash", "groq/x"]


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        ("openai/gpt-4.1-2025-04-14", "openai", "openai/gpt-4.1"),
        ("gpt-4o-mini-2024-07-18", "openai", "openai/gpt-4o-mini"),
        ("anthropic/claude-4.5-sonnet-20250929", "anthropic", "anthropic/claude-sonnet-4-5"),
        ("google/gemini-2.5-flash", "Google AI Studio", "google/gemini-2.5-flash"),
        ("openrouter/openai/gpt-4.1", "", "openai/gpt-4.1"),
        ("gpt-9", "openai", None),
        ("", "openai", None),
        ("gpt-4.1", "", None),
    ],
)
def test_exported_names_are_matched_with_the_catalog(name: str, provider: str, expected: str | None) -> None:
    assert match_model(name, provider, KNOWN) == expected


def test_a_name_that_fits_two_models_fits_none() -> None:
    assert match_model("anthropic/4-claude", "", ["anthropic/claude-4", "anthropic/4.claude"]) is None


def test_the_likeliest_models_are_suggested_first() -> None:
    assert suggest_models("gpt-4o-minni", KNOWN)[0] == "openai/gpt-4o-mini"
    assert suggest_models("zzzzzzzz", KNOWN) == []
