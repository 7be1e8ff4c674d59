"""What the README promises holds: two commands, the layout, and an example that runs."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from pathlib import Path

import pytest

from core.gateway import PRESETS
from core.i18n import t
from pages.parts.shell import PAGES
from tests.conftest import OPERATORS

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ENGLISH, KOREAN = README.split("## 한국어")


def test_there_is_exactly_one_command_to_run_and_one_to_test() -> None:
    assert README.count("pip install -r requirements.txt && streamlit run app.py") == 1
    assert README.count("pip install -r tests/requirements.txt && python -m pytest") == 1


def test_the_example_of_the_core_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)

    assert code is not None
    exec(compile(code[1], "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("0.0057")
    assert len(printed) == 4


def test_every_file_the_readme_names_exists() -> None:
    named = re.findall(r"\]\(([\w.][^)#:]*)\)|`(data/[\w./]+)`", README)

    for one in named:
        assert (PROJECT / "".join(one)).exists(), one
    for half in (ENGLISH, KOREAN):
        assert {one for one in ("LICENSE", "CONTRIBUTING.md", "CHANGELOG.md") if f"]({one})" not in half} == set()


def test_the_layout_names_every_folder_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    folders = {line.split("/")[0] for line in listed.splitlines() if "/" in line} - {".github"}

    for half, heading in ((ENGLISH, "## Layout"), (KOREAN, "### 폴더 구조")):
        layout = half.split(heading)[1].split("\n#")[0]
        assert [name for name in folders if f"{name}/" not in layout] == []


def test_no_setting_the_readme_names_reaches_a_test() -> None:
    rows = [line for line in ENGLISH.splitlines() if re.match(r"\| `(?:[A-Z]+_|<NAME>)", line)]
    named = {name for row in rows for name in re.findall(r"`([A-Z<][A-Z_<>]+)`", row)}

    assert {"REDIS_URL", "BREAKEVEN_MODELS_<NAME>", "<NAME>_TOKENS_PER_MIN", "VLLM_ENABLED"} <= named
    assert [name for name in named if not OPERATORS.fullmatch(name.replace("<NAME>", "OPENAI"))] == []
    assert [name for name in os.environ if OPERATORS.fullmatch(name)] == ["BREAKEVEN_DATABASE_URL"]


def _told(path: str) -> str:
    """The row of a table or list in a file that speaks of GPU offers by their number."""
    lines = (PROJECT / path).read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if re.search(r"\d GPU offers|GPU offers \|.*\d|: [\d,]+ offers", line))


def test_the_gpu_offers_are_as_many_as_the_files_say() -> None:
    with (PROJECT / "data" / "gpu_offers.csv").open(encoding="utf-8") as file:
        offers = list(csv.DictReader(file))
    count, providers = f"{len(offers):,}", len({one["provider_id"] for one in offers})
    # A source is written as owner/repository, file and commit.
    collections = {one["source"].split()[0].split("/")[0] for one in offers}
    words = {5: "five", 6: "six", 7: "seven", 8: "eight"}

    assert f"{count} from {words[len(collections)]} public collections" in _told("README.md")
    assert f"공개 자료 {len(collections)}종의 {count}건" in KOREAN
    assert f"{count} GPU offers of {providers} providers" in _told("data/README.md")
    dated = sum(bool(one["as_of"]) for one in offers)
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"{count} offers ({dated:,} of them dated) of {providers} providers" in changelog


def test_specs_and_measurements_are_as_many_and_as_old_as_the_data_says() -> None:
    told = (PROJECT / "data" / "README.md").read_text(encoding="utf-8")
    with (PROJECT / "data" / "gpu_specs.csv").open(encoding="utf-8") as file:
        models = [row["gpu_model"] for row in csv.DictReader(file)]
    with (PROJECT / "data" / "throughput_measured.csv").open(encoding="utf-8") as file:
        years = [row["measured"][:4] for row in csv.DictReader(file)]

    assert f"{len(set(models))} GPUs in {len(models)} forms" in told
    assert f"{len(years)} published throughput measurements" in told
    assert f"per row, {min(years)} to {max(years)}" in told


def test_every_setting_is_in_both_halves() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for room in ("core", "pages") for path in (PROJECT / room).rglob("*.py")
    )
    read = set(re.findall(r'"((?:BREAKEVEN_|DATABASE_|REDIS_)[A-Z_]+)"', code))
    keys = {f"{name.upper()}_API_KEY" for name, preset in PRESETS.items() if preset.needs_key}
    local = {f"{name.upper()}_ENABLED" for name, preset in PRESETS.items() if not preset.needs_key}

    for name in read | keys | local | {"<NAME>_REQUESTS_PER_MIN", "<NAME>_TOKENS_PER_MIN"}:
        assert f"`{name}" in ENGLISH, name
        assert f"`{name}" in KOREAN, name


def test_every_page_is_a_row_of_both_halves() -> None:
    for name, _ in PAGES:
        assert f"| {t(f'shell.page_{name}', 'en')} |" in ENGLISH, name
        assert f"| {t(f'shell.page_{name}', 'ko')} |" in KOREAN, name
