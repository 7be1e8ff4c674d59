"""What does OpenAI's organization usage API (completions, JSON in time buckets) say?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.usage.imports.rows import Export, ExportRow, Fields, stable_id


def read_row(fields: Fields) -> ExportRow:
    """One bucket of requests; `input_tokens` includes cached ones. No cost: it is computed from the catalog. `model`
    is empty unless the export was grouped by model."""
    model = fields.text("model", "")
    batch = fields.flag("batch")
    identity = [fields.raw(name) for name in ("start_time", "end_time", "project_id", "user_id", "api_key_id")]
    return ExportRow(
        uid=stable_id(*identity, model, batch, fields.raw("service_tier")),
        started_ms=fields.moment_ms("start_time"),
        model=model,
        provider_id="openai",
        processing="batch" if batch else _tier(fields),
        request_count=max(1, fields.count("num_model_requests")),
        input_tokens=fields.count("input_tokens"),
        cached_input_tokens=fields.count("input_cached_tokens", 0),
        output_tokens=fields.count("output_tokens"),
    )


def _tier(fields: Fields) -> str:
    tier = fields.text("service_tier", "standard").lower()
    return tier if tier in {"flex", "priority"} else "standard"


def records(document: object) -> Iterable[object] | None:
    """The results of every bucket of one page, or of a list of pages."""
    pages = document if isinstance(document, list) else [document]
    buckets = [bucket for page in pages if isinstance(page, dict) for bucket in _list(page.get("data"))]
    if not any(isinstance(bucket, dict) and "results" in bucket and "start_time" in bucket for bucket in buckets):
        return None
    return _results(buckets)


def _results(buckets: list[object]) -> Iterator[object]:
    for bucket in buckets:
        if not isinstance(bucket, dict):
            yield bucket
            continue
        times = {"start_time": bucket.get("start_time"), "end_time": bucket.get("end_time")}
        for result in _list(bucket.get("results")):
            yield result | times if isinstance(result, dict) else result


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


EXPORT = Export(tool="openai_usage", read_row=read_row, records=records)
