"""What the README promises holds: two commands, the layout, and an example that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


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
    named = re.findall(r"\((\.github/[^)]+)\)|`(data/[\w./]+)`", README)

    for one in named:
        assert (PROJECT / "".join(one)).exists(), one
