"""What does OpenAI's older usage export (`/v1/usage` and the dashboard's daily file) say?"""

from __future__ import annotations

from core.usage.imports.rows import Export, ExportRow, Fields, listed, stable_id

COLUMNS = frozenset({"aggregation_timestamp", "n_requests", "snapshot_id", "n_context_tokens_total"})


def read_row(fields: Fields) -> ExportRow:
    """A few minutes of requests to one model; context tokens include the cached ones. No cost is given."""
    model = fields.text("snapshot_id")
    identity = [fields.raw(name) for name in ("aggregation_timestamp", "operation", "project_id", "api_key_id")]
    return ExportRow(
        uid=stable_id(*identity, model, fields.raw("user_id"), fields.raw("batch")),
        started_ms=fields.moment_ms("aggregation_timestamp"),
        model=model,
        provider_id="openai",
        processing="batch" if fields.flag("batch") else "standard",
        request_count=max(1, fields.count("n_requests")),
        input_tokens=fields.count("n_context_tokens_total"),
        cached_input_tokens=fields.count("n_cached_context_tokens_total", 0),
        output_tokens=fields.count("n_generated_tokens_total", 0),
    )


EXPORT = Export(tool="openai_legacy", columns=COLUMNS, read_row=read_row, records=listed(COLUMNS))
