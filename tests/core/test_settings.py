"""Settings come from the environment; a wrong one is named and its default kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

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

    assert [str(one).split()[0] for one in settings.problems] == [
        "BREAKEVEN_KRW_PER_USD",
        "BREAKEVEN_FX_DATE",
        "BREAKEVEN_ALLOW_CUSTOM_BASE_URL",
    ]
    assert settings.krw_per_usd == DEFAULT_KRW_PER_USD


@pytest.mark.parametrize("value", ["fast", "0", "-1", "nan", "inf", "1e9"])
def test_a_pace_that_cannot_be_one_is_named_and_simulated_models_keep_theirs(value: str) -> None:
    settings = Settings.from_env({"BREAKEVEN_DEMO_SPEED": value})

    assert settings.demo_speed == 1
    assert str(settings.problems[0]).startswith("BREAKEVEN_DEMO_SPEED")
    assert "0.1 to 1000" in str(settings.problems[0])
    assert Settings.from_env({"BREAKEVEN_DEMO_SPEED": "500"}).demo_speed == 500


def test_endpoints_limits_and_caps_are_read_by_name() -> None:
    settings = Settings.from_env(
        {
            "BREAKEVEN_BASE_URL_TEAM_PROXY": " https://llm.example.com/v1/ ",
            "BREAKEVEN_BASE_URL_OLLAMA": "http://gpu-box:11434/v1",
            "BREAKEVEN_MODELS_TEAM_PROXY": "small, large,",
            "BREAKEVEN_REQUESTS_PER_MIN": "60",
            "OPENAI_REQUESTS_PER_MIN": "5",
            "OPENAI_TOKENS_PER_MIN": "20000",
            "VLLM_ENABLED": "1",
            "OLLAMA_ENABLED": "0",
            "BREAKEVEN_CAP_USD_PER_DAY": "12.5",
        }
    )
    found = settings.endpoints

    assert settings.problems == ()
    assert found.base_urls == {"team_proxy": "https://llm.example.com/v1", "ollama": "http://gpu-box:11434/v1"}
    assert found.models == {"team_proxy": ("small", "large")}
    assert found.limits_of("openai") == (5, 20_000)
    assert found.limits_of("anthropic") == (60, None)
    assert found.is_enabled == {"vllm": True, "ollama": False}
    assert (settings.cap_usd_per_day, settings.cap_usd_per_user) == (Decimal("12.5"), None)


def test_nothing_is_limited_capped_or_added_by_default() -> None:
    settings = Settings.from_env({"PATH": "/bin", "OTHER_ENABLED": "maybe", "NODES_PER_MIN": "x"})

    assert settings.problems == ()
    assert settings.endpoints.limits_of("openai") == (None, None)
    assert not settings.endpoints.base_urls
    assert settings.cap_usd_per_day is settings.cap_usd_per_user is settings.cap_usd_per_session is None


@pytest.mark.parametrize("value", ["much", "-1", "nan", "inf", "1e9", "1,5"])
def test_a_cap_that_cannot_be_read_lets_nothing_through(value: str) -> None:
    settings = Settings.from_env({"BREAKEVEN_CAP_USD_PER_SESSION": value})

    assert settings.cap_usd_per_session == 0
    assert "BREAKEVEN_CAP_USD_PER_SESSION" in str(settings.problems[0])


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "llm.example.com", "https://", "https://me:pass-word-1@x.example/v1", "https://x/v1?key=pass-word-1",
     "https://x:0/v1", "https://[::1/v1", "https://x y/v1"],
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_named_without_its_value(url: str) -> None:
    settings = Settings.from_env({"BREAKEVEN_BASE_URL_X": url})

    assert not settings.endpoints.base_urls
    assert str(settings.problems[0]).startswith("BREAKEVEN_BASE_URL_X")
    assert "pass-word-1" not in str(settings.problems[0])


@pytest.mark.parametrize("name", ["", "DEMO", "DEMO_OPENAI", "a-b", "1X"])
def test_an_endpoint_is_not_called_like_a_simulated_one(name: str) -> None:
    settings = Settings.from_env({f"BREAKEVEN_BASE_URL_{name}": "https://x.example/v1"})

    assert not settings.endpoints.base_urls
    assert len(settings.problems) == 1


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "٣", "99999999999"])
def test_a_limit_that_cannot_be_one_is_named(value: str) -> None:
    settings = Settings.from_env({"BREAKEVEN_TOKENS_PER_MIN": value})

    assert settings.endpoints.limits_of("openai") == (None, None)
    assert str(settings.problems[0]).startswith("BREAKEVEN_TOKENS_PER_MIN")
