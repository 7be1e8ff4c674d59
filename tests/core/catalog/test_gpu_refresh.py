"""A refresh: validated, compared, held, taken in one transaction, refused when older or thin, and rolled back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import InvalidOperation

import httpx
import pytest

from core.catalog import Catalog, llm_refresh, open_catalog
from core.catalog.commands import MAX_BYTES, NotModifiedError, fetch
from core.catalog.feeds import skypilot
from core.catalog.feeds.parsed import FedModel, FeedError, Parsed, ParsedModels
from core.catalog.gpu_diff import compare
from core.catalog.refresh import Source, main, preview, refresh, take
from core.costs.tokens import PriceRow

HEAD = "InstanceType,AcceleratorName,AcceleratorCount,Price,SpotPrice,Region\n"
DAY = dt.date(2026, 11, 1)
Handler = Callable[[httpx.Request], httpx.Response]


def feed(prices: dict[str, float], day: dt.date = DAY, cloud: str = "acme") -> Parsed:
    rows = "".join(f"{name},L4,1,{price},,us-east-1\n" for name, price in prices.items())
    return skypilot.parse((HEAD + rows).encode(), cloud, seen_on=day)


def client(handler: Handler) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(handler))


@pytest.fixture
def catalog(database_url: str) -> Catalog:
    return open_catalog(database_url)


def prices(catalog: Catalog, provider: str = "acme") -> dict[str, float]:
    return {one.instance_type: float(one.usd_per_hour) for one in catalog.gpu_offers(provider=provider)}


def test_new_changed_and_gone_offers_are_told_apart_and_old_rows_stay_readable(catalog: Catalog) -> None:
    take(catalog.engine, preview(catalog.engine, feed({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1, "e": 1})))
    before = dt.datetime.now(dt.UTC)

    diff = preview(catalog.engine, feed({"a": 1.1, "b": 1.0, "c": 1.0, "d": 1, "f": 1}, DAY + dt.timedelta(days=1)))
    taken = take(catalog.engine, diff)

    assert [one.instance_type for one in diff.added] == ["f"]
    assert [one.instance_type for one in diff.removed] == ["e"]
    assert diff.changed[0].share == pytest.approx(0.1)
    assert taken.added == 1
    assert taken.removed == 1
    assert prices(catalog) == {"a": 1.1, "b": 1.0, "c": 1.0, "d": 1.0, "f": 1.0}
    then = {one.instance_type: one.usd_per_gpu_hour for one in catalog.gpu_offers(provider="acme", at=before)}
    assert then == {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 1.0}


def test_the_same_price_seen_later_is_young_again(catalog: Catalog) -> None:
    take(catalog.engine, preview(catalog.engine, feed({"a": 1.0})))
    take(catalog.engine, preview(catalog.engine, feed({"a": 1.0}, DAY + dt.timedelta(days=9))))

    (offer,) = catalog.gpu_offers(provider="acme")
    assert offer.as_of == DAY + dt.timedelta(days=9)


@pytest.mark.parametrize(("cloud", "new", "is_held"), [
    ("acme", 2.1, True), ("acme", 0.45, True), ("acme", 1.9, False), ("tensordock", 4, False),
    ("tensordock", 5.5, True),
])  # fmt: skip
def test_a_large_move_keeps_the_former_price_until_someone_looked(
    catalog: Catalog, cloud: str, new: float, is_held: bool
) -> None:
    name = "a"
    take(catalog.engine, preview(catalog.engine, feed({name: 1.0}, cloud=cloud)))
    diff = preview(catalog.engine, feed({name: new}, DAY + dt.timedelta(days=1), cloud=cloud))

    take(catalog.engine, diff)

    assert len(diff.held) == is_held
    found = [one for one in catalog.gpu_offers(provider=cloud) if one.layer == "feed"]
    assert [one.usd_per_gpu_hour for one in found] == [1.0 if is_held else new]
    take(catalog.engine, diff, with_held=True)
    assert [o.usd_per_gpu_hour for o in catalog.gpu_offers(provider=cloud) if o.layer == "feed"] == [new]


def test_an_older_a_thin_and_an_empty_feed_are_refused(catalog: Catalog) -> None:
    many = {f"m{number}": 1.0 for number in range(10)}
    take(catalog.engine, preview(catalog.engine, feed(many)))

    older = preview(catalog.engine, feed(many, DAY - dt.timedelta(days=1)))
    thin = preview(catalog.engine, feed(dict(list(many.items())[:7]), DAY + dt.timedelta(days=1)))
    empty = compare([], feed({}))

    assert "older" in str(older.refused_because)
    assert "80%" in str(thin.refused_because)
    assert "no usable offer" in str(empty.refused_because)
    with pytest.raises(ValueError, match="older"):
        take(catalog.engine, older)
    assert len(prices(catalog)) == 10


def test_a_refreshed_source_hides_the_shipped_rows_it_renews(catalog: Catalog) -> None:
    shipped = catalog.gpu_offers(provider="yotta")
    content = (HEAD + "".join(f"{one.instance_type},RTX5090,{one.gpu_count},{one.usd_per_hour},,us-east-2\n"
                              for one in shipped)).encode()  # fmt: skip

    diff = preview(catalog.engine, skypilot.parse(content, "yotta", seen_on=DAY))
    take(catalog.engine, diff)

    assert {one.layer for one in catalog.gpu_offers(provider="yotta")} == {"feed"}
    assert {one.as_of for one in catalog.gpu_offers(provider="yotta")} == {DAY}


def test_a_rollback_brings_back_the_offers_of_any_snapshot_and_can_itself_be_undone(catalog: Catalog) -> None:
    first = catalog.gpu_snapshots()[0].id
    whole = catalog.gpu_offers()
    taken = take(catalog.engine, preview(catalog.engine, feed({"a": 1.0})))

    catalog.roll_back_gpu_offers(first or 0)
    assert sorted(map(str, catalog.gpu_offers())) == sorted(map(str, whole))
    catalog.roll_back_gpu_offers(taken.snapshot_id)
    assert prices(catalog) == {"a": 1.0}
    with pytest.raises(ValueError, match="no such snapshot"):
        catalog.roll_back_gpu_offers(999)


@pytest.fixture
def own_database(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """The catalog whose database the command opens."""
    monkeypatch.setenv("BREAKEVEN_DATABASE_URL", str(catalog.engine.url))
    return catalog


def test_the_command_undoes_the_last_taking_in_and_the_undoing(
    own_database: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = sorted(map(str, own_database.gpu_offers()))
    take(own_database.engine, preview(own_database.engine, feed({"a": 1.0})))
    renewed = sorted(map(str, own_database.gpu_offers()))

    assert main(["--undo"]) == 0
    assert sorted(map(str, own_database.gpu_offers())) == whole
    assert main(["--undo"]) == 0
    assert sorted(map(str, own_database.gpu_offers())) == renewed
    assert main(["--list"]) == 0
    said = capsys.readouterr().out
    assert "back to snapshot" in said
    assert [line.split("  ")[2] for line in said.splitlines()[2:]] == ["rollback", "rollback", "refresh", "shipped"]


def test_the_command_undoes_down_to_a_number_and_never_the_first(
    own_database: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = sorted(map(str, own_database.gpu_offers()))
    first = own_database.gpu_snapshots()[0].id
    number = take(own_database.engine, preview(own_database.engine, feed({"a": 1.0}))).snapshot_id
    take(own_database.engine, preview(own_database.engine, feed({"a": 1.1}, DAY + dt.timedelta(days=1))))

    assert main(["--undo", str(number)]) == 0
    assert sorted(map(str, own_database.gpu_offers())) == whole
    assert main(["--undo", str(first)]) == 1
    assert main(["--undo", "999"]) == 1
    assert main(["nobody"]) == 1
    said = capsys.readouterr().out
    assert "is the first" in said
    assert "no snapshot 999" in said
    assert "is no source" in said


def test_model_prices_of_any_source_are_neither_listed_nor_undone(
    own_database: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = sorted(map(str, own_database.gpu_offers()))
    taken = take(own_database.engine, preview(own_database.engine, feed({"a": 1.0})))
    prices = ParsedModels(source="another price table", source_date=DAY, models=[FedModel(
        provider_id="openai", model_id="gpt-77", context_window_tokens=None, rows=tuple(
            PriceRow(component=component, processing="standard", micro_usd_per_mtok=2_000_000, layer="feed",
                     source="another price table", as_of=DAY, price_text="2")
            for component in ("input", "output")
        ))])  # fmt: skip
    llm_refresh.take(own_database.engine, llm_refresh.preview(own_database.engine, prices))

    assert own_database.gpu_snapshots()[0].id == taken.snapshot_id
    assert main(["--list"]) == 0
    assert "another price table" not in capsys.readouterr().out
    assert main(["--undo"]) == 0
    assert sorted(map(str, own_database.gpu_offers())) == whole


def test_the_help_of_the_command_names_the_list_the_undoing_and_the_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "--list" in said
    assert "--undo" in said
    assert "toolshedlabs" in said


def test_one_dead_source_stops_no_other_and_keeps_its_rows(catalog: Catalog) -> None:
    before = catalog.gpu_offers(provider="hyperstack")

    def handler(request: httpx.Request) -> httpx.Response:
        if "hyperstack" in request.url.path:
            raise httpx.ConnectError("refused")
        if "jarvislabs" in request.url.path:
            return httpx.Response(503)
        if "lium" in request.url.path:
            return httpx.Response(200, content=b"<html>")
        rows = "".join(f"{number}x,L4,1,1.0,,us-east-1\n" for number in range(300))
        return httpx.Response(200, content=(HEAD + rows).encode(), headers={"ETag": '"one"'})

    names = ["skypilot-hyperstack", "skypilot-jarvislabs", "skypilot-lium", "skypilot-aws"]
    outcomes = refresh(catalog.engine, names, client=client(handler), today=dt.date(2026, 11, 23))

    assert [one.taken is None for one in outcomes] == [True, True, True, False]
    assert "cannot be reached" in str(outcomes[0])
    assert "503" in str(outcomes[1])
    assert "is missing" in str(outcomes[2])
    assert "added" in str(outcomes[3])
    assert catalog.gpu_offers(provider="hyperstack") == before


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), InvalidOperation(), KeyError("price"), IndexError(), TypeError("x"), AttributeError("x")],
    ids=repr,
)
def test_a_parser_that_trips_over_an_unknown_shape_stops_no_other_source(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def trips(_content: bytes, _day: dt.date) -> Parsed:
        raise error

    broken = Source(url=lambda _day: "https://feed.example/broken", parse=trips)
    sound = Source(url=lambda _day: "https://feed.example/sound", parse=lambda _content, day: feed({"a": 1.0}, day))
    monkeypatch.setattr("core.catalog.refresh.SOURCES", {"broken": broken, "sound": sound})

    outcomes = refresh(catalog.engine, client=client(lambda _: httpx.Response(200, content=b"[]")), today=DAY)

    assert [one.taken is None for one in outcomes] == [True, False]
    assert "another shape" in str(outcomes[0])
    assert type(error).__name__ in str(outcomes[0])


def test_the_etag_of_the_last_refresh_is_sent_and_no_change_changes_nothing(catalog: Catalog) -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("If-None-Match"))
        if seen[-1]:
            return httpx.Response(304)
        rows = "".join(f"{number}x,L4,1,1.0,,us-east-1\n" for number in range(30))
        return httpx.Response(200, content=(HEAD + rows).encode(), headers={"ETag": '"one"'})

    outcomes = [
        refresh(catalog.engine, ["skypilot-yotta"], client=client(handler), today=dt.date(2026, 11, 23))[0]
        for _ in range(2)
    ]

    assert seen == [None, '"one"']
    assert outcomes[0].taken is not None
    assert "unchanged" in str(outcomes[1])


def test_more_than_ten_megabytes_and_unknown_names_are_refused(catalog: Catalog) -> None:
    with client(lambda _: httpx.Response(200, content=b"x" * (MAX_BYTES + 1))) as opened, pytest.raises(FeedError):
        fetch("https://feed.example/vms.csv", opened)
    with client(lambda _: httpx.Response(304)) as opened, pytest.raises(NotModifiedError):
        fetch("https://feed.example/vms.csv", opened, '"x"')
    with pytest.raises(ValueError, match="is no source"):
        refresh(catalog.engine, ["nobody"])
