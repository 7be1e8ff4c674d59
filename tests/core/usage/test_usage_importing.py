"""An import is whole or nothing, counts once, and can be taken out again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from core.catalog.database import DatabaseProblem
from core.usage import importing
from core.usage.files import imported_files, remove_import
from core.usage.importing import import_export, preview
from core.usage.imports.rows import ExportRow, ParsedExport
from core.usage.rollup import total, totals
from core.usage.write import write
from tests.core.usage.helpers import NOON_MS, assert_log_and_rollups_agree, entry_of


def row_of(uid: str, **changes: object) -> ExportRow:
    plain = ExportRow(
        uid=uid,
        started_ms=NOON_MS,
        model="openai/gpt-4.1",
        provider_id="openai",
        input_tokens=1_000,
        output_tokens=500,
        pico_usd=6_000_000_000,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def export_of(*rows: ExportRow) -> ParsedExport:
    return ParsedExport(tool="openrouter", rows=rows, rejected=())


def test_imported_rows_are_calls_with_one_attempt_each(engine: Engine) -> None:
    assert import_export(engine, export_of(row_of("a"), row_of("b", outcome="cancelled")), "may.csv") == 2

    assert assert_log_and_rollups_agree(engine) == 4
    assert total(engine).pico_usd == total(engine, level="attempt").pico_usd == 12_000_000_000
    assert {row.key[0] for row in totals(engine, by=["origin"])} == {"import"}


def test_importing_again_changes_nothing(engine: Engine) -> None:
    import_export(engine, export_of(row_of("a")), "may.csv")
    found = preview(engine, export_of(row_of("a"), row_of("b")))

    assert (found.new_count, found.same_count, found.changed_count) == (1, 1, 0)
    assert import_export(engine, export_of(row_of("a")), "may again.csv") == 0
    assert [file.file_name for file in imported_files(engine)] == ["may.csv"]
    assert assert_log_and_rollups_agree(engine) == 2


def test_a_day_that_was_not_over_is_replaced_when_exported_again(engine: Engine) -> None:
    import_export(engine, export_of(row_of("day", request_count=5), row_of("old")), "early.json")
    later = export_of(row_of("day", request_count=9, input_tokens=9_000))

    assert preview(engine, later).changed_count == 1
    assert import_export(engine, later, "late.json") == 1
    assert total(engine).request_count == 10
    assert total(engine).input_tokens == 10_000
    assert assert_log_and_rollups_agree(engine) == 4


def test_removing_an_import_leaves_the_rest_as_it_was(engine: Engine) -> None:
    write(engine, [entry_of("own")])
    import_export(engine, export_of(row_of("a")), "may.csv")
    (file,) = imported_files(engine)

    remove_import(engine, file.import_id)
    assert imported_files(engine) == []
    assert assert_log_and_rollups_agree(engine) == 1
    assert total(engine).request_count == 1


def test_the_gateways_own_log_cannot_be_removed_as_an_import(engine: Engine) -> None:
    with pytest.raises(ValueError, match="import_id 0"):
        remove_import(engine, 0)


def test_a_failure_half_way_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 10)
    rows = [row_of(str(number)) for number in range(35)]

    def fail_late(done: int, _total: int) -> None:
        if done >= 20:
            raise DatabaseProblem("full", "no space")

    with pytest.raises(DatabaseProblem):
        import_export(engine, export_of(*rows), "may.csv", on_progress=fail_late)
    assert assert_log_and_rollups_agree(engine) == 0
    assert imported_files(engine) == []


def test_progress_reaches_the_whole(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 10)
    heard: list[tuple[int, int]] = []
    import_export(
        engine,
        export_of(*(row_of(str(number)) for number in range(25))),
        "may.csv",
        on_progress=lambda done, whole: heard.append((done, whole)),
    )

    assert heard == [(10, 25), (20, 25), (25, 25)]


def test_rows_without_a_cost_are_priced_by_the_model_they_are_mapped_to(engine: Engine) -> None:
    silent = row_of("a", pico_usd=None, model="gpt-4.1-2025-04-14")
    asked: list[str] = []

    def price(model: str, _row: ExportRow) -> int | None:
        asked.append(model)
        return 42

    import_export(engine, export_of(silent), "x", models={"gpt-4.1-2025-04-14": "openai/gpt-4.1"}, price=price)
    assert asked == ["openai/gpt-4.1"]
    assert total(engine).pico_usd == 42
    assert total(engine).cost_computed_count == 1
    assert [row.key for row in totals(engine, by=["model", "model_asked"])] == [
        ("openai/gpt-4.1", "gpt-4.1-2025-04-14")
    ]


def test_rows_of_an_unmapped_model_keep_an_unknown_cost(engine: Engine) -> None:
    import_export(engine, export_of(row_of("a", pico_usd=None)), "x", price=lambda _model, _row: 42)

    assert total(engine).cost_usd is None
    assert total(engine).is_lower_bound


def test_calls_the_gateway_logged_in_the_same_hours_are_pointed_out(engine: Engine) -> None:
    write(engine, [entry_of("own"), entry_of("older", started_ms=NOON_MS - 86_400_000)])

    assert preview(engine, export_of(row_of("a"))).overlap_count == 1


def test_models_of_a_file_are_listed_by_their_tokens(engine: Engine) -> None:
    found = preview(engine, export_of(row_of("a"), row_of("b", model="big", input_tokens=10**6, pico_usd=None)))

    assert [(use.model, use.unpriced_count) for use in found.models] == [("big", 1), ("openai/gpt-4.1", 0)]


def test_a_file_name_nobody_could_store_is_made_storable(engine: Engine) -> None:
    import_export(engine, export_of(row_of("a")), "evil\x00\ud800<script>.csv")

    assert imported_files(engine)[0].file_name == "evil<script>.csv"
