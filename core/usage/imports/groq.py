"""What does the Groq console's usage export (CSV, one row per day and model) say?"""

from __future__ import annotations

from core.usage.imports.rows import BadFieldError, Export, ExportRow, Fields, stable_id

COLUMNS = frozenset({"model", "timestamp", "num_requests", "n_context_tokens_total", "n_generated_tokens_total"})


def read_row(fields: Fields) -> ExportRow:
    """Cached tokens are what the non-cached count leaves of the context. `cost` is in USD. Raises BadFieldError."""
    model, tier = fields.text("model"), fields.text("service_tier", "")
    given = fields.count("n_context_tokens_total")
    fresh = fields.count("n_non_cached_context_tokens_total", given)
    if fresh > given:
        raise BadFieldError("parts_exceed_whole", "n_non_cached_context_tokens_total", fresh)
    return ExportRow(
        uid=stable_id(fields.text("timestamp"), model, tier, fields.raw("project_id"), fields.raw("api_key_id")),
        started_ms=fields.moment_ms("timestamp"),
        model=model,
        provider_id="groq",
        processing=tier if tier in {"batch", "flex", "priority"} else "standard",
        request_count=max(1, fields.count("num_requests")),
        input_tokens=given,
        cached_input_tokens=given - fresh,
        output_tokens=fields.count("n_generated_tokens_total"),
        pico_usd=fields.pico_usd("cost"),
    )


EXPORT = Export(tool="groq", columns=COLUMNS, read_row=read_row)
