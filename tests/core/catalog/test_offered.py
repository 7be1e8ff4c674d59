"""What an endpoint offers, against what the catalog sells."""

from __future__ import annotations

from core.catalog.offered import compare
from core.costs.tokens import PriceSheet


def sheet(provider: str, model: str, *, is_retired: bool = False) -> PriceSheet:
    return PriceSheet(provider_id=provider, model_id=model, is_retired=is_retired)


SHEETS = {
    one.key: one
    for one in (
        sheet("acme", "small"), sheet("acme", "large"), sheet("acme", "old"), sheet("acme", "gone", is_retired=True),
        sheet("other", "small"),
    )
}  # fmt: skip


def test_each_offered_model_is_known_renamed_or_new_and_what_is_missing_comes_last() -> None:
    found = compare(["models/small", "large-2026", "huge"], "acme", SHEETS, {"large-2026": "acme/large"}.get)

    assert [(one.name, one.state, one.catalog_name) for one in found] == [
        ("models/small", "same", "acme/small"),
        ("large-2026", "renamed", "acme/large"),
        ("huge", "new", ""),
        ("", "gone", "acme/old"),
    ]  # fmt: skip


def test_a_provider_that_offers_nothing_has_lost_all_it_still_sold() -> None:
    assert [one.catalog_name for one in compare([], "acme", SHEETS, lambda _: None)] == [
        "acme/large", "acme/old", "acme/small",
    ]  # fmt: skip
    assert compare([], "nobody", SHEETS, lambda _: None) == []
