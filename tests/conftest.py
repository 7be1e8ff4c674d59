"""What every test gets: a database of its own, made from one that was filled once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


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
    """No test ever touches a user's database or inherits an operator's settings."""
    for name in ("DATABASE_URL", "REDIS_URL", "BREAKEVEN_KRW_PER_USD", "BREAKEVEN_FX_DATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
