"""A team lead imports an export, sees what was spent, and turns it into the workload."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenVisit

HEADING = (
    "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_cached,model_permaslug,provider_name,"
    "cancelled,finish_reason_normalized,generation_time_ms"
)

pytestmark = pytest.mark.browser


def export(path: Path, refused: int) -> Path:
    """Ten calls a day on the last ten days, and some rows that cannot be read."""
    rows = []
    for age in range(10):
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - age * 86_400))
        rows += [
            f"gen-{age}-{n},{day} 0{n}:00:00,0.006,2000,400,500,openai/gpt-4.1-2025-04-14,OpenAI,false,stop,{900 + n}"
            for n in range(10)
        ]
    bad = ["gen-bad,never,1,1,1,0,m,p,false,stop,1"] * refused
    path.write_text("\n".join([HEADING, *rows, *bad]), encoding="utf-8")
    return path


def test_an_export_becomes_the_workload(visit: OpenVisit, tmp_path: Path) -> None:
    one = visit()
    page = one.open("/spend")
    if not page.get_by_test_id("stFileUploaderDropzone").is_visible():
        page.get_by_test_id("stExpander").get_by_text("Import and files").click()
    # The second file takes the place of the first, and the box stays open.
    for refused in (3, 1):
        page.locator("input[type=file]").set_input_files(export(tmp_path / f"{refused}.csv", refused))
        expect(page.get_by_text(f"Rejected rows and why ({refused})")).to_be_visible()
    page.get_by_role("button", name="Import 100 rows").click()

    expect(page.get_by_text("100 rows imported (")).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("$0.600")
    one.settle()
    page.get_by_role("button", name="Use as workload").click()
    expect(page.get_by_text("The measured usage is now the workload of every page.")).to_be_visible()
    expect(page).to_have_url(re.compile("in=2000"))
    assert one.axe() == []

    page.get_by_role("link", name="See what it will cost each month").click()
    expect(page).to_have_url(re.compile("/monthly-cost"))
    expect(page.get_by_text("2,000 tokens in · 400 out")).to_be_visible()
    one.settle()


def test_the_sample_is_loaded_seen_on_a_phone_and_removed(visit: OpenVisit) -> None:
    one = visit(width=390, height=844, dark=True)
    page = one.open("/spend?usage_source=sample")
    load = page.get_by_role("button", name="Load the sample")
    if not load.is_visible():
        page.get_by_test_id("stExpander").get_by_text("Import and files").click()
    load.click()
    expect(page.get_by_text("Invented sample data")).to_be_visible()
    one.settle()
    assert not one.has_sideways_scroll()
    assert one.axe() == []

    with page.expect_download() as download:
        page.get_by_role("button", name="Download Parquet").click()
    assert download.value.suggested_filename.endswith(".parquet")
