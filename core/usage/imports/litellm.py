"""What do LiteLLM's spend logs (table LiteLLM_SpendLogs as CSV, or /spend/logs as JSON) say?"""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.usage.imports.rows import Export, ExportRow, Fields, listed

COLUMNS = frozenset({"request_id", "startTime", "model", "prompt_tokens", "completion_tokens", "spend"})


def read_row(fields: Fields) -> ExportRow:
    """`prompt_tokens` includes the cache classes, which stand only inside `metadata`. Keys' hashes and users are left
    out. A failed call has no model that answered and often no tokens: they are 0 there."""
    details = _usage_object(fields)
    input_tokens = fields.count("prompt_tokens", 0)
    cached, written = _cache(details)
    return ExportRow(
        uid=fields.identity("request_id"),
        started_ms=fields.moment_ms("startTime"),
        model=fields.text("model", "") or fields.text("model_group", ""),
        provider_id=fields.text("custom_llm_provider", "").lower(),
        outcome="error" if fields.text("status", "success").lower() in {"failure", "failed", "error"} else "ok",
        input_tokens=input_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=fields.count("completion_tokens", 0),
        pico_usd=fields.pico_usd("spend"),
        ttft_ms=_ttft_ms(fields),
        latency_ms=_latency_ms(fields),
    )


def _usage_object(fields: Fields) -> Mapping[str, object]:
    """The provider's own usage inside `metadata`; empty when there is none or it is cut."""
    metadata = fields.raw("metadata")
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return {}
    found = metadata.get("usage_object") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _cache(usage: Mapping[str, object]) -> tuple[int, int]:
    """Cached and cache-written tokens: OpenAI's place first, then Anthropic's."""
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    cached = _whole(details.get("cached_tokens")) or _whole(usage.get("cache_read_input_tokens"))
    written = _whole(details.get("cache_creation_tokens")) or _whole(usage.get("cache_creation_input_tokens"))
    return cached, written


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _latency_ms(fields: Fields) -> int | None:
    given = fields.count_or_none("request_duration_ms")
    if given is not None or fields.raw("endTime") is None:
        return given
    return max(0, fields.moment_ms("endTime") - fields.moment_ms("startTime"))


def _ttft_ms(fields: Fields) -> int | None:
    """Time to the first token of a streamed call; LiteLLM repeats the end there when nothing was streamed."""
    first, end = fields.raw("completionStartTime"), fields.raw("endTime")
    if first is None or first == end:
        return None
    return max(0, fields.moment_ms("completionStartTime") - fields.moment_ms("startTime"))


EXPORT = Export(tool="litellm", columns=COLUMNS, read_row=read_row, records=listed(COLUMNS))
