"""The tree is what CONTRIBUTING.md says: rooms, sizes, and nothing at the top that does not belong there."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
TOP = {
    "app.py", "pages", "data", "core", "tests", "requirements.txt", "README.md", "pyproject.toml", "LICENSE",
    "CHANGELOG.md", "CONTRIBUTING.md",
}  # fmt: skip
MODULE_LINES, FUNCTION_LINES = 250, 40
EXPLAINED = "# Longer than other modules on purpose: "
SOURCES = sorted(path for room in ("core", "pages") for path in (PROJECT / room).rglob("*.py"))


def test_nothing_else_lies_at_the_top() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    names = {line.split("/")[0] for line in listed.splitlines()}

    assert {name for name in names if not name.startswith(".")} <= TOP


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_says_what_it_is_for_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)

    assert ast.get_docstring(tree), "the first line says what question the module answers"
    assert text.count("\n") <= MODULE_LINES or EXPLAINED in text
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{node.name} has {length} lines"


def test_the_rooms_do_not_import_the_shell_script() -> None:
    for path in SOURCES:
        imported = {
            name.name if isinstance(node, ast.Import) else node.module or ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in node.names
        }
        assert "app" not in imported, path
