"""Any number of processes may make the tables at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlmodel import SQLModel

from core.catalog import writing
from core.catalog.database import DatabaseProblem, open_engine
from core.usage.tables import create_tables


def test_twenty_make_the_tables_at_once(url: str) -> None:
    engines = [open_engine(url) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(create_tables, engines))

    assert {"usage_log", "usage_import", "usage_hour", "usage_day"} <= set(inspect(engines[0]).get_table_names())
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    "words",
    ["table usage_log already exists", 'relation "usage_day" already exists',
     'duplicate key value violates unique constraint "pg_type_typname_nsp_index"'],
)  # fmt: skip
def test_a_table_that_came_in_between_is_looked_for_again(
    url: str, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    make, left = SQLModel.metadata.create_all, [4]

    def late(*args: object, **more: object) -> None:
        if left[0]:
            left[0] -= 1
            raise ProgrammingError("CREATE TABLE", {}, Exception(words))
        make(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(SQLModel.metadata, "create_all", late)
    engine = open_engine(url)
    create_tables(engine)

    assert left == [0]
    engine.dispose()


def test_another_fault_is_told_after_a_second_look(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def never(*_: object, **__: object) -> None:
        looks.append(1)
        raise OperationalError("CREATE TABLE", {}, Exception("disk I/O error"))

    monkeypatch.setattr(SQLModel.metadata, "create_all", never)
    engine = open_engine(url)
    with pytest.raises(DatabaseProblem):
        create_tables(engine)

    assert len(looks) == 2 < writing.LOOKS
    engine.dispose()
