"""What every test gets: a database of its own, made from one that was filled once."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from core.i18n import LANGUAGES

Found = TypeVar("Found")

LANGS = tuple(LANGUAGES)
PROJECT = Path(__file__).resolve().parent.parent
# Whatever README.md lists, by name or by the ending that follows an endpoint's name, and what httpx reads by itself.
OPERATORS = re.compile(
    r"BREAKEVEN_\w+|DATABASE_URL|REDIS_URL|\w+_(API_KEY|ENABLED|REQUESTS_PER_MIN|TOKENS_PER_MIN)|(?i:\w+_proxy)"
)


def in_a_loop(work: Coroutine[Any, Any, Found]) -> Found:
    """Runs what is asynchronous in a thread of its own: the browser's tests leave a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session", autouse=True)
def _no_operator() -> Iterator[None]:
    """No test and no server of a test inherits an operator's settings, keys, limits or proxies."""
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(OPERATORS.fullmatch, tuple(os.environ)):
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def filled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog database as the first start makes it; read it, never write to it."""
    from core.catalog import open_catalog

    path = tmp_path_factory.mktemp("catalog") / "filled.db"
    open_catalog(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def database_url(filled_database: Path, tmp_path: Path) -> str:
    """The address of a filled database that this test may change."""
    shutil.copy(filled_database, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(autouse=True)
def _own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever touches a user's database."""
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
