"""What does OpenRouter's activity export (CSV, one row per generation) say?"""

from __future__ import annotations

from core.usage.entries import Outcome
from core.usage.imports.rows import Export, ExportRow, Fields

COLUMNS = frozenset(
    {"generation_id", "created_at", "cost_total", "tokens_prompt", "tokens_completion", "model_permaslug"}
)


def read_row(fields: Fields) -> ExportRow:
    """`created_at` has no zone and is taken as UTC. `cost_total` is what OpenRouter charged (discounts for cached
    tokens are in it already); what the user's own provider key was charged stands beside it and is added."""
    billed = fields.pico_usd("cost_total")
    own_key = fields.pico_usd("byok_usage_inference") or 0
    return ExportRow(
        uid=fields.identity("generation_id"),
        started_ms=fields.moment_ms("created_at"),
        model=fields.text("model_permaslug"),
        provider_id=fields.text("provider_name", "").lower(),
        processing=_processing(fields),
        outcome=_outcome(fields),
        input_tokens=fields.count("tokens_prompt"),
        cached_input_tokens=fields.count("tokens_cached", 0),
        output_tokens=fields.count("tokens_completion"),
        reasoning_tokens=fields.count_or_none("tokens_reasoning"),
        pico_usd=None if billed is None else billed + own_key,
        ttft_ms=fields.count_or_none("time_to_first_token_ms"),
        latency_ms=fields.count_or_none("generation_time_ms"),
    )


def _processing(fields: Fields) -> str:
    variant = fields.text("variant", "standard").lower()
    return variant if variant in {"batch", "flex", "priority"} else "standard"


def _outcome(fields: Fields) -> Outcome:
    if fields.flag("cancelled"):
        return "cancelled"
    return "error" if fields.text("finish_reason_normalized", "") == "error" else "ok"


EXPORT = Export(tool="openrouter", columns=COLUMNS, read_row=read_row)
