"""What does a table of one's own (CSV or JSON, one row per call or per sum of calls) say?"""

from __future__ import annotations

from core.usage.imports.rows import Export, ExportRow, Fields, listed, stable_id

COLUMNS = frozenset({"timestamp", "model", "input_tokens", "output_tokens"})
TEMPLATE = (
    "timestamp,model,input_tokens,output_tokens,cost_usd,provider,requests,cached_input_tokens,latency_ms,id\n"
    "2026-11-01T09:30:00Z,gpt-4.1,1500,500,0.0064,openai,1,400,2300,call-1\n"
    "2026-11-02,gpt-4.1,150000,50000,,openai,100,,,\n"
)


def read_row(fields: Fields) -> ExportRow:
    """Everything beyond `COLUMNS` may be missing. `input_tokens` includes the cached ones; a row of several `requests`
    holds their sums. Without an `id` rows that are alike in time, model and figures are one."""
    model = fields.text("model")
    figures = [fields.raw(name) for name in ("provider", "requests", "input_tokens", "output_tokens", "cost_usd")]
    alike = stable_id(fields.raw("timestamp"), model, *figures)
    return ExportRow(
        uid=alike if fields.raw("id") is None else fields.identity("id"),
        started_ms=fields.moment_ms("timestamp"),
        model=model,
        provider_id=(fields.text("provider", "") or model.rpartition("/")[0].partition("/")[0]).lower(),
        request_count=max(1, fields.count("requests", 1)),
        input_tokens=fields.count("input_tokens"),
        cached_input_tokens=fields.count("cached_input_tokens", 0),
        output_tokens=fields.count("output_tokens"),
        pico_usd=fields.pico_usd("cost_usd"),
        latency_ms=fields.count_or_none("latency_ms"),
    )


EXPORT = Export(tool="own", columns=COLUMNS, read_row=read_row, records=listed(COLUMNS))
