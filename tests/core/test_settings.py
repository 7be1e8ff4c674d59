"""Settings come from the environment; a wrong one is named and its default kept."""

from __future__ import annotations

import datetime as dt

from core.settings import DEFAULT_DATABASE_URL, DEFAULT_KRW_PER_USD, Settings


def test_without_an_environment_defaults_hold() -> None:
    settings = Settings.from_env({})

    assert settings.database_url == DEFAULT_DATABASE_URL
    assert settings.krw_per_usd == DEFAULT_KRW_PER_USD
    assert settings.problems == ()


def test_values_are_taken() -> None:
    settings = Settings.from_env(
        {
            "DATABASE_URL": "sqlite:///x.db",
            "BREAKEVEN_KRW_PER_USD": "1385.5",
            "BREAKEVEN_FX_DATE": "2026-10-01",
            "BREAKEVEN_LOG_PROMPTS": "yes",
        }
    )

    assert settings.database_url == "sqlite:///x.db"
    assert settings.krw_per_usd == 1385.5
    assert settings.fx_date == dt.date(2026, 10, 1)
    assert settings.log_prompts


def test_wrong_values_are_named_and_their_defaults_kept() -> None:
    settings = Settings.from_env(
        {"BREAKEVEN_KRW_PER_USD": "lots", "BREAKEVEN_FX_DATE": "soon", "BREAKEVEN_ALLOW_CUSTOM_BASE_URL": "maybe"}
    )

    assert [text.split()[0] for text in settings.problems] == [
        "BREAKEVEN_KRW_PER_USD",
        "BREAKEVEN_FX_DATE",
        "BREAKEVEN_ALLOW_CUSTOM_BASE_URL",
    ]
    assert settings.krw_per_usd == DEFAULT_KRW_PER_USD
