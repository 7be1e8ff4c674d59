"""toolshedlabs' price history: the newest line counts, names are understood or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.catalog.feeds.parsed import FeedError
from core.catalog.feeds.toolshedlabs import parse


def line(day: str = "2026-10-01", **cheapest: Any) -> str:
    return json.dumps({"cheapest": cheapest, "collected_at": f"{day}T13:13:26+00:00", "schema_version": 2})


def test_the_newest_line_is_read_with_its_day_and_our_provider_names() -> None:
    old, new = line("2026-09-30", lambdalabs={"L4 24GB": 9.0}), line(lambdalabs={"H100 80GB SXM": 2.99})

    found = parse(f"{new}\n{old}\n".encode())

    (offer, text), *others = found.offers
    assert (offer.provider_id, offer.gpu_model, offer.gpu_form) == ("lambda", "H100-80GB", "SXM")
    assert (text, others, str(found.source_date)) == ("2.99", [], "2026-10-01")
    assert offer.region_confirmed == "list"


def test_an_unstated_form_stays_unknown_and_odd_rows_are_refused() -> None:
    found = parse(
        line(
            vastai={"V100 16GB (form unstated)": 0.09, "CMP 170HX": 0.1, "RTX PRO 6000 Blackwell 48GB Server MIG": 1.0},
            runpod={"L4 24GB": "0.4", "L40 48GB": None, "T4 16GB": 0, "L40S 48GB": True},
        ).encode()
    )

    assert [(one.gpu_model, one.gpu_form) for one, _ in found.offers] == [("V100-16GB", None)]
    assert len(found.refused) == 6


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"cheapest": {}, "collected_at": "x", "schema_version": 2}',
     b'{"cheapest": {}, "collected_at": "2026-10-01", "schema_version": 1}', b"[" * 100_000],
    ids=["empty", "cut", "list", "object", "no date", "old schema", "deep"],
)  # fmt: skip
def test_another_shape_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(FeedError):
        parse(content)
