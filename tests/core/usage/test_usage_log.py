"""The log never holds up or fails a call, loses no committed row, and its roll-ups always agree with it."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.catalog.database import DatabaseProblem, open_engine
from core.usage import write as write_module
from core.usage.entries import Entry
from core.usage.log import EntryLog
from core.usage.rollup import total
from core.usage.tables import create_tables
from tests.core.usage.helpers import assert_log_and_rollups_agree, entry_of, logged

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def open_log(engine: Engine) -> Iterator[Callable[..., EntryLog[Entry]]]:
    opened: list[EntryLog[Entry]] = []

    def make(**options: Any) -> EntryLog[Entry]:
        settings: dict[str, Any] = {"linger_s": 0.0, "retry_after_s": 0.02} | options
        log = EntryLog(engine, lambda entry: [entry], **settings)
        opened.append(log)
        return log

    yield make
    for log in opened:
        log.close(timeout_s=0.2)


def wait_until(is_true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    until = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < until, "it never became true"
        time.sleep(0.005)


def test_a_recorded_call_is_in_log_and_rollups(engine: Engine, open_log: Callable[..., EntryLog[Entry]]) -> None:
    log = open_log()
    log.record(entry_of("a"))

    assert log.flush()
    assert logged(engine) == [entry_of("a")]
    assert assert_log_and_rollups_agree(engine) == 1
    assert log.status().written_count == 1


def test_nothing_happens_before_the_first_record(engine: Engine) -> None:
    before = threading.active_count()
    log = EntryLog(engine, lambda entry: [entry])

    assert threading.active_count() == before
    assert log.flush()
    assert log.close()


def test_writing_the_same_batch_again_counts_nothing_twice(engine: Engine) -> None:
    batch = [entry_of("a"), entry_of("b")]

    assert write_module.write(engine, batch) == 2
    assert write_module.write(engine, [*batch, entry_of("c"), entry_of("c")]) == 1
    assert assert_log_and_rollups_agree(engine) == 3


def test_closing_writes_what_waits(engine: Engine, open_log: Callable[..., EntryLog[Entry]]) -> None:
    log = open_log(linger_s=30)
    for number in range(50):
        log.record(entry_of(str(number)))

    assert log.close()
    assert assert_log_and_rollups_agree(engine) == 50


def test_a_record_after_closing_is_counted_as_dropped(open_log: Callable[..., EntryLog[Entry]]) -> None:
    log = open_log()
    log.close()
    log.record(entry_of("late"))

    assert log.status().dropped_count == 1


def test_fifty_threads_lose_nothing(engine: Engine, open_log: Callable[..., EntryLog[Entry]]) -> None:
    log = open_log()

    def work(writer: int) -> None:
        for number in range(40):
            log.record(entry_of(f"{writer}-{number}"))

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert log.flush(30)
    assert assert_log_and_rollups_agree(engine) == 2_000
    assert total(engine).pico_usd == 2_000 * 6_000_000_000


def test_fifty_threads_writing_on_their_own_lose_nothing(engine: Engine) -> None:
    errors: list[DatabaseProblem] = []

    def work(writer: int) -> None:
        try:
            for number in range(4):
                write_module.write(engine, [entry_of(f"{writer}-{number}")])
        except DatabaseProblem as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert assert_log_and_rollups_agree(engine) == 200


def test_a_locked_database_is_said_once_and_nothing_is_lost(
    url: str, open_log: Callable[..., EntryLog[Entry]], engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")
    holder.execute("BEGIN IMMEDIATE")
    log = open_log()
    with caplog.at_level(logging.WARNING, logger="core.usage.log"):
        started = time.monotonic()
        for number in range(20):
            log.record(entry_of(str(number)))
        took_s = time.monotonic() - started
        wait_until(lambda: log.status().problem is not None, 30)
        time.sleep(0.2)
        status = log.status()
        holder.execute("ROLLBACK")
        holder.close()
        assert log.flush(30)

    assert took_s < 5
    assert status.problem is not None
    assert status.problem.reason == "locked"
    assert status.waiting_count == 20
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert assert_log_and_rollups_agree(engine) == 20
    assert log.status().problem is None


def test_a_full_disk_never_reaches_the_caller_and_is_tried_again(
    engine: Engine, open_log: Callable[..., EntryLog[Entry]]
) -> None:
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.commit()
    log = open_log(max_waiting=600)
    for number in range(600):
        log.record(entry_of(f"{number}" * 30))
    wait_until(lambda: log.status().problem is not None)
    extra = 600 - log.status().waiting_count
    for number in range(extra + 1):
        log.record(entry_of(f"extra {number}"))

    problem = log.status().problem
    assert problem is not None
    assert problem.reason == "full"
    assert log.status().dropped_count == 1
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    assert log.flush(30)
    assert assert_log_and_rollups_agree(engine) == 600 + extra


def test_a_record_no_row_can_be_made_of_is_counted_and_the_rest_is_kept(engine: Engine) -> None:
    def to_entries(item: object) -> list[Entry]:
        if not isinstance(item, Entry):
            raise TypeError("no entry")
        return [item]

    log = EntryLog(engine, to_entries, linger_s=0.0)
    log.record(None)  # type: ignore[arg-type]
    log.record(entry_of("a"))

    assert log.close()
    assert log.status().refused_count == 1
    assert assert_log_and_rollups_agree(engine) == 1


def test_a_failure_between_log_and_rollup_leaves_neither(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise DatabaseProblem("full", "no space")

    monkeypatch.setattr(write_module, "add_sums", fail)
    with pytest.raises(DatabaseProblem):
        write_module.write(engine, [entry_of("a")])

    assert assert_log_and_rollups_agree(engine) == 0


def test_tables_can_be_made_again_by_a_second_process(engine: Engine) -> None:
    create_tables(engine)

    assert assert_log_and_rollups_agree(engine) == 0


WRITER = """
    import sys
    from core.catalog.database import open_engine
    from core.usage.log import EntryLog
    from tests.core.usage.helpers import entry_of

    url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    log = EntryLog(open_engine(url), lambda entry: [entry], linger_s=0.0)
    number = 0
    while count < 0 or number < count:
        for _ in range(7):
            log.record(entry_of(f"{name}-{number}"))
            number += 1
        assert log.flush(60)
        print(number, flush=True)
"""


def start_writer(url: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), url, name, str(count)]
    environment = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


@pytest.mark.parametrize("committed_batches", [1, 5, 23])
def test_killing_the_process_loses_no_committed_row(url: str, engine: Engine, committed_batches: int) -> None:
    process = start_writer(url, "victim", -1)
    assert process.stdout is not None
    promised = 0
    for _ in range(committed_batches):
        promised = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    promised = int(rest[-1]) if rest else promised

    again = open_engine(url)
    found = assert_log_and_rollups_agree(again)
    again.dispose()
    assert promised <= found <= promised + 7


def test_several_processes_writing_at_once_lose_nothing(url: str, engine: Engine) -> None:
    processes = [start_writer(url, f"p{number}", 70) for number in range(4)]
    for process in processes:
        process.communicate()

    assert [process.returncode for process in processes] == [0] * 4
    assert assert_log_and_rollups_agree(engine) == 280
