"""Which plans have been saved under a name, and how do they travel as a file?

A scenario is a workload plus the address parameters that complete it (the ways compared, the outlook). Files are JSON
of one format and version; what a stranger may have changed in them is checked field by field before it is kept.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import Engine
from sqlmodel import Field, SQLModel, col, func, select

from core.catalog.database import session
from core.catalog.writing import create_tables
from core.workload import LIMITS, NAME_MAX_CHARS, Problem, Workload

FORMAT = "breakeven-scenarios"
VERSION = 1
MAX_SCENARIOS = 200
MAX_FILE_BYTES = 1_000_000
MAX_PARAMETERS = 60
MAX_PARAMETER_CHARS = 2_000

ScenarioErrorKind = Literal[
    "name_empty",
    "name_too_long",
    "name_taken",
    "not_found",
    "too_many",
    "file_too_large",
    "not_json",
    "wrong_format",
    "other_version",
    "bad_field",
]


class ScenarioError(ValueError):
    """A scenario that cannot be kept or read; `kind` says why, `field` and `given` name what was wrong."""

    def __init__(self, kind: ScenarioErrorKind, text: str, *, field_name: str = "", given: str = "") -> None:
        super().__init__(text)
        self.kind: ScenarioErrorKind = kind
        self.field = field_name
        self.given = given[:NAME_MAX_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A saved plan. `parameters` are address parameters beyond the workload's own; `saved_at` is UTC."""

    name: str
    workload: Workload
    parameters: Mapping[str, str] = field(default_factory=dict)
    saved_at: dt.datetime | None = None


class ScenarioRow(SQLModel, table=True):
    """How a scenario is stored; `content` is the JSON object of one scenario in a file, without its name."""

    __tablename__ = "scenario"

    name: str = Field(primary_key=True, max_length=NAME_MAX_CHARS)
    content: str
    saved_at: str


def clean_name(name: str) -> str:
    """The name as kept: one line, composed characters, no control characters. ScenarioError when unusable."""
    printable = "".join(" " if char.isspace() else char for char in name if char.isprintable() or char.isspace())
    cleaned = " ".join(unicodedata.normalize("NFC", printable).split())
    if not cleaned:
        raise ScenarioError("name_empty", "name is empty: give the scenario a name.", field_name="name")
    if len(cleaned) > NAME_MAX_CHARS:
        raise ScenarioError(
            "name_too_long",
            f"name is longer than {NAME_MAX_CHARS} characters: shorten it.",
            field_name="name",
            given=cleaned,
        )
    return cleaned


class Scenarios:
    """The scenarios of one database. Every method raises DatabaseProblem when the database cannot be used."""

    def __init__(self, engine: Engine, *, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self._engine = engine
        self._now = now
        create_tables(engine, [ScenarioRow])

    def all(self) -> list[Scenario]:
        """Every scenario, by name. Raises DatabaseProblem."""
        with session(self._engine) as open_session:
            rows = open_session.exec(select(ScenarioRow).order_by(col(ScenarioRow.name))).all()
        return [_scenario(row) for row in rows]

    def get(self, name: str) -> Scenario:
        """The scenario of that name; ScenarioError `not_found` with the name."""
        with session(self._engine) as open_session:
            row = open_session.get(ScenarioRow, name)
        if row is None:
            raise _not_found(name)
        return _scenario(row)

    def save(
        self,
        name: str,
        workload: Workload,
        parameters: Mapping[str, str] | None = None,
        *,
        overwrite: bool = True,
    ) -> Scenario:
        """Keep a plan under a name; ScenarioError for a bad name, a taken one (unless `overwrite`) or a full store."""
        scenario = Scenario(name=clean_name(name), workload=workload, parameters=_parameters(parameters or {}))
        return self._keep([scenario], overwrite=overwrite)[0]

    def copy(self, name: str, new_name: str) -> Scenario:
        """The same plan under another name, which must be free."""
        source = self.get(name)
        return self.save(new_name, source.workload, source.parameters, overwrite=False)

    def delete(self, name: str) -> None:
        """Forget a scenario; ScenarioError `not_found` when there is none."""
        with session(self._engine) as open_session:
            row = open_session.get(ScenarioRow, name)
            if row is None:
                raise _not_found(name)
            open_session.delete(row)

    def export(self, names: Iterable[str] | None = None) -> str:
        """A file of the named scenarios (None: all), readable by `load`."""
        chosen = self.all() if names is None else [self.get(name) for name in names]
        return dump(chosen)

    def load(self, text: str | bytes) -> tuple[list[Scenario], list[Problem]]:
        """Keep a file's scenarios, all or none, over those of the same name; what was clamped. Raises ScenarioError."""
        scenarios, problems = parse(text)
        return self._keep(scenarios, overwrite=True), problems

    def _keep(self, scenarios: list[Scenario], *, overwrite: bool) -> list[Scenario]:
        now = self._now().astimezone(dt.UTC)
        with session(self._engine) as open_session:
            for scenario in scenarios:
                row = open_session.get(ScenarioRow, scenario.name)
                if row is not None and not overwrite:
                    raise ScenarioError(
                        "name_taken",
                        f"{scenario.name!r} exists already: choose another name.",
                        field_name="name",
                        given=scenario.name,
                    )
                row = row or ScenarioRow(name=scenario.name, content="", saved_at="")
                row.content = json.dumps(_content(scenario), ensure_ascii=False, sort_keys=True)
                row.saved_at = now.isoformat(timespec="seconds")
                open_session.add(row)
            open_session.flush()
            if open_session.exec(select(func.count()).select_from(ScenarioRow)).one() > MAX_SCENARIOS:
                raise ScenarioError("too_many", f"More than {MAX_SCENARIOS} scenarios: delete some first.")
        return [
            Scenario(name=s.name, workload=s.workload, parameters=s.parameters, saved_at=now.replace(microsecond=0))
            for s in scenarios
        ]


def dump(scenarios: Iterable[Scenario]) -> str:
    """Scenarios as a file: JSON, versioned, readable by people."""
    found = [{"name": scenario.name, **_content(scenario)} for scenario in scenarios]
    return json.dumps({"format": FORMAT, "version": VERSION, "scenarios": found}, ensure_ascii=False, indent=2)


def parse(text: str | bytes) -> tuple[list[Scenario], list[Problem]]:
    """The scenarios of a file and what had to be clamped; ScenarioError names what makes a file unusable."""
    if len(text) > MAX_FILE_BYTES:
        raise ScenarioError("file_too_large", f"The file is larger than {MAX_FILE_BYTES:,} bytes: export fewer.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScenarioError("not_json", "The file is not JSON: choose a file exported here.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or not isinstance(found.get("scenarios"), list):
        raise ScenarioError("wrong_format", f"The file is no {FORMAT} file: choose a file exported here.")
    version = found.get("version")
    if version != VERSION:
        raise ScenarioError(
            "other_version", f"The file has version {version!r}; this program reads {VERSION}.", given=str(version)
        )
    if len(found["scenarios"]) > MAX_SCENARIOS:
        raise ScenarioError("too_many", f"The file holds more than {MAX_SCENARIOS} scenarios: split it.")
    problems: list[Problem] = []
    return [_read(entry, number, problems) for number, entry in enumerate(found["scenarios"], 1)], problems


def _read(entry: Any, number: int, problems: list[Problem]) -> Scenario:
    if not isinstance(entry, dict) or not isinstance(entry.get("workload"), dict):
        raise _bad(f"scenarios[{number}].workload", entry)
    if not isinstance(entry.get("name"), str):
        raise _bad(f"scenarios[{number}].name", entry.get("name"))
    # null stands for "not given" in an optional field; a list or an object stands for nothing.
    given = {key: value for key, value in entry["workload"].items() if value is not None}
    for key, value in given.items():
        if isinstance(value, dict | list | bool):
            raise _bad(f"scenarios[{number}].workload.{key}", value)
    workload, found = Workload.from_mapping(given)
    problems += found
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict):
        raise _bad(f"scenarios[{number}].parameters", parameters)
    return Scenario(name=clean_name(entry["name"]), workload=workload, parameters=_parameters(parameters))


def _parameters(given: Mapping[Any, Any]) -> dict[str, str]:
    if len(given) > MAX_PARAMETERS:
        raise _bad("parameters", f"{len(given)} entries")
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str) or len(key) + len(value) > MAX_PARAMETER_CHARS:
            raise _bad(f"parameters.{str(key)[:40]}", value)
    return dict(given)


def _bad(field_name: str, given: object) -> ScenarioError:
    return ScenarioError(
        "bad_field", f"{field_name} cannot be read: {str(given)[:40]!r}.", field_name=field_name, given=str(given)
    )


def _not_found(name: str) -> ScenarioError:
    return ScenarioError("not_found", f"There is no scenario {name[:NAME_MAX_CHARS]!r}.", field_name="name", given=name)


def _content(scenario: Scenario) -> dict[str, Any]:
    plain = asdict(scenario.workload)
    numbers = {key: plain[key] for key in ("name", *LIMITS)}
    return {"workload": numbers, "parameters": dict(scenario.parameters)}


def _scenario(row: ScenarioRow) -> Scenario:
    """A stored row as a value; a row written by an older program is clamped like a file."""
    scenario = _read({"name": row.name, **json.loads(row.content)}, 1, [])
    return Scenario(
        name=row.name,
        workload=scenario.workload,
        parameters=scenario.parameters,
        saved_at=dt.datetime.fromisoformat(row.saved_at),
    )
