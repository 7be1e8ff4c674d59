"""The catalog's database: filled once, finished after an interruption, shared by processes, never destroyed."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.catalog import DatabaseProblem, open_catalog, seed, store
from core.catalog.rows import RefusedRow
from core.costs.facts import DATA
from core.costs.gpu_specs import gpu_specs
from tests.conftest import PROJECT


def test_the_public_face_finds_h100_offers_in_korea(database_url: str) -> None:
    with open_catalog(database_url) as catalog:
        found = catalog.gpu_offers(gpu="H100-80GB", country="KR")

        assert found
        assert {(one.gpu_model, one.country) for one in found} == {("H100-80GB", "KR")}
        assert len(catalog.gpu_offers()) > 1_700


def test_the_first_start_tells_its_progress_and_a_later_one_reads_nothing_again(tmp_path: Path) -> None:
    url, shares = f"sqlite:///{tmp_path / 'new.db'}", list[float]()
    open_catalog(url, on_progress=lambda share, _: shares.append(share)).close()

    again = [word for word in _words(url) if word == "genai-prices"]

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert again == []


def _words(url: str) -> list[str]:
    words: list[str] = []
    open_catalog(url, on_progress=lambda _, word: words.append(word)).close()
    return words


def test_a_start_that_was_cut_off_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'cut.db'}"
    taken = seed.take_in
    monkeypatch.setattr(seed, "take_in", lambda *a, **k: (taken(*a, **k), exec("raise KeyboardInterrupt"))[0])
    with pytest.raises(KeyboardInterrupt):
        open_catalog(url)
    monkeypatch.setattr(seed, "take_in", taken)

    with open_catalog(url) as catalog:
        assert len(catalog.gpu_offers()) > 1_700
        assert len(catalog.gpu_snapshots()) == 1


def test_two_first_starts_at_once_both_end_well(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'both.db'}"
    code = f"from core.catalog import open_catalog; print(len(open_catalog({url!r}).gpu_offers()))"
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [one.communicate(timeout=120) for one in started]

    assert {one.returncode for one in started} == {0}, ended
    assert len({out for out, _ in ended}) == 1
    with open_catalog(url) as catalog:
        assert len(catalog.gpu_snapshots()) == 1


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be read" * 99, b"SQLite format 3\0" + b"\xff" * 9_000]
)
def test_a_corrupt_file_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.db"
    path.write_bytes(content)

    with pytest.raises(DatabaseProblem) as caught:
        open_catalog(f"sqlite:///{path}")

    assert caught.value.reason == "corrupt"
    assert path.read_bytes() == content


def test_a_database_that_may_only_be_read_says_so_or_is_read(filled_database: Path, tmp_path: Path) -> None:
    whole, empty = tmp_path / "whole.db", tmp_path / "empty.db"
    shutil.copy(filled_database, whole)
    sqlite3.connect(empty).close()
    empty.touch()

    with open_catalog(f"sqlite:///file:{whole}?mode=ro&uri=true") as catalog:
        assert len(catalog.gpu_offers()) > 1_700
    with pytest.raises(DatabaseProblem) as caught:
        open_catalog(f"sqlite:///file:{empty}?mode=ro&uri=true")
    assert caught.value.reason == "read_only"


def test_a_folder_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="DATABASE_URL"):
        open_catalog(f"sqlite:///{tmp_path / 'no' / 'where.db'}")


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("providers.csv", "gpu_specs.csv", "gpu_offers.csv"):
        shutil.copy(DATA / name, folder / name)
    return folder


def test_a_broken_row_is_refused_by_file_row_and_reason_and_the_rest_is_used(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    path = folder / "gpu_offers.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = next(csv.reader([lines[1]]))
    cells[10] = "-4"
    lines[1] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    engine = store.open_engine(f"sqlite:///{tmp_path / 'x.db'}")

    refused = seed.seed(engine, folder=folder)
    again = seed.seed(engine, folder=folder)

    assert [(one.file, one.row) for one in refused] == [("gpu_offers.csv", 2)]
    assert "usd_per_hour" in str(refused[0].reason)
    assert again == refused
    assert len(store.load_offers(engine)) == len(lines) - 2
    engine.dispose()


@pytest.mark.parametrize("damage", [b"\xff\xfe", None], ids=["not UTF-8", "gone"])
def test_a_file_that_cannot_be_read_takes_no_price_away(tmp_path: Path, damage: bytes | None) -> None:
    folder = _folder(tmp_path)
    engine = store.open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    seed.seed(engine, folder=folder)
    before = store.load_offers(engine)
    path = folder / "gpu_offers.csv"
    path.unlink() if damage is None else path.write_bytes(damage)

    refused = seed.seed(engine, folder=folder)

    assert refused[0].file == "gpu_offers.csv"
    assert "cannot be read" in str(refused[0])
    assert store.load_offers(engine) == before
    engine.dispose()


def test_a_changed_file_closes_the_old_row_and_keeps_it_readable(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    engine = store.open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    seed.seed(engine, folder=folder)
    then = dt.datetime.now(dt.UTC)
    path = folder / "gpu_offers.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",1.5,2023-05-26", ",1.7,2023-05-26"), encoding="utf-8")

    seed.seed(engine, folder=folder)

    old = {str(one) for one in store.load_offers(engine, then)}
    new = {str(one) for one in store.load_offers(engine)}
    assert len(old) == len(new)
    assert 1 <= len(new - old) < 10
    engine.dispose()


def test_the_database_holds_the_specs_that_the_arithmetic_reads_from_the_file(database_url: str) -> None:
    with open_catalog(database_url) as catalog:
        assert catalog.gpu_specs() == gpu_specs()


def test_the_article_is_labelled_and_no_offer(database_url: str) -> None:
    with open_catalog(database_url) as catalog:
        rows = catalog.article_gpu_rows()
        assert len(rows) == 6
        assert {(one.as_of, one.status) for one in rows} == {("2024-12", "unverified")}
        assert not [one for one in catalog.gpu_offers() if "article" in one.source]


def test_a_refused_row_reads_as_one_sentence() -> None:
    row = RefusedRow(file="gpu_offers.csv", row=7, reason="usd_per_hour is empty")

    assert str(row) == "gpu_offers.csv, row 7: usd_per_hour is empty"
