"""How do the shipped GPU files get into the database, each once, and how is it cheaply known later that they are?"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text
from sqlmodel import Session

from core.catalog import gpu_rows
from core.catalog.database import session
from core.catalog.gpu_store import take_in
from core.catalog.rows import RefusedRow, read_rows
from core.catalog.tables import GPU_TABLES, Meta
from core.catalog.writing import create_tables, lock_for_writing
from core.costs.facts import DATA

OnProgress = Callable[[float, str], None]
"""Gets the share done (0 to 1) and the name of the step, which pages word (`shell.step_<name>`)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One data file and what takes it in."""

    file: str
    load: Callable[[Session, Path, str, list[RefusedRow]], None]

    @property
    def name(self) -> str:
        """What is taken in, as `OnProgress` gets it."""
        return Path(self.file).stem


def seed(engine: Engine, on_progress: OnProgress | None = None, folder: Path = DATA) -> list[RefusedRow]:
    """Takes in every shipped file that is new or changed, each in one transaction; returns the rows refused."""
    create_tables(engine, GPU_TABLES)
    refused: list[RefusedRow] = []
    known = digests(engine)
    for number, step in enumerate(STEPS):
        if on_progress:
            on_progress(number / (len(STEPS) + 2), step.name)
        digest = digest_of(folder / step.file)
        if known.get(step.file) != digest:
            _take(engine, step, folder / step.file, digest, refused)
    return refused


def digests(engine: Engine) -> dict[str, str]:
    """What has been taken in so far: digest by file."""
    with session(engine) as opened:
        return {row[0]: row[1] for row in opened.execute(text("SELECT key, value FROM meta"))}


def _take(engine: Engine, step: Step, path: Path, digest: str, refused: list[RefusedRow]) -> None:
    with session(engine) as opened:
        lock_for_writing(opened)
        done = opened.get(Meta, step.file)
        if done is not None and done.value == digest:
            return  # another process was quicker
        step.load(opened, path, digest, refused)
        # A file with refused rows is read again at the next start, so that its complaints are not forgotten.
        is_whole = not any(row.file == step.file for row in refused)
        opened.merge(Meta(key=step.file, value=digest if is_whole else f"{digest} with refused rows"))


def digest_of(path: Path) -> str:
    """Digest of a file's bytes, `missing` when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "missing"


def _offers(opened: Session, path: Path, digest: str, refused: list[RefusedRow]) -> None:
    now = dt.datetime.now(dt.UTC)
    before = len(refused)
    offers = list(read_rows(path, gpu_rows.offer, refused))
    if any(row.row == 0 for row in refused[before:]):
        return  # A file that cannot be read says nothing about prices: those of the last start stay.
    take_in(opened, offers, source=path.name, kind="shipped", now=now, digest=digest)


def _specs(opened: Session, path: Path, _digest: str, refused: list[RefusedRow]) -> None:
    for row in read_rows(path, gpu_rows.spec, refused):
        opened.merge(row)


def _providers(opened: Session, path: Path, _digest: str, refused: list[RefusedRow]) -> None:
    for row in read_rows(path, gpu_rows.provider, refused):
        opened.merge(row)


STEPS: Sequence[Step] = (
    Step("providers.csv", _providers),
    Step("gpu_specs.csv", _specs),
    Step("gpu_offers.csv", _offers),
)
