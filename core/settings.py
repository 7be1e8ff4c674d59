"""What can an operator set, and from where is it read?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_DATABASE_URL = f"sqlite:///{PROJECT / 'breakeven.db'}"

# A round planning value, not a market quote: the program fetches nothing by itself. Shown with its date, editable.
DEFAULT_KRW_PER_USD = 1_400.0
DEFAULT_FX_DATE = dt.date(2026, 11, 20)

KRW_PER_USD_MIN, KRW_PER_USD_MAX = 500.0, 5_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The operator's settings; `problems` names each value that was refused, in one sentence each."""

    database_url: str = DEFAULT_DATABASE_URL
    redis_url: str | None = None
    krw_per_usd: float = DEFAULT_KRW_PER_USD
    fx_date: dt.date = DEFAULT_FX_DATE
    allow_custom_base_url: bool = False
    log_prompts: bool = False
    problems: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings from environment variables; an unusable value keeps its default and is named in `problems`."""
        problems: list[str] = []
        return cls(
            database_url=env.get("BREAKEVEN_DATABASE_URL") or env.get("DATABASE_URL") or DEFAULT_DATABASE_URL,
            redis_url=env.get("REDIS_URL") or None,
            krw_per_usd=_krw_per_usd(env.get("BREAKEVEN_KRW_PER_USD"), problems),
            fx_date=_date(env.get("BREAKEVEN_FX_DATE"), problems),
            allow_custom_base_url=_flag("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", env, problems),
            log_prompts=_flag("BREAKEVEN_LOG_PROMPTS", env, problems),
            problems=tuple(problems),
        )


def _krw_per_usd(text: str | None, problems: list[str]) -> float:
    if not text:
        return DEFAULT_KRW_PER_USD
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if KRW_PER_USD_MIN <= value <= KRW_PER_USD_MAX:
        return value
    problems.append(
        f"BREAKEVEN_KRW_PER_USD is {text!r}: give won per dollar from {KRW_PER_USD_MIN:.0f} to {KRW_PER_USD_MAX:.0f}."
    )
    return DEFAULT_KRW_PER_USD


def _date(text: str | None, problems: list[str]) -> dt.date:
    if not text:
        return DEFAULT_FX_DATE
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        problems.append(f"BREAKEVEN_FX_DATE is {text!r}: give a day such as 2026-11-20.")
        return DEFAULT_FX_DATE


def _flag(name: str, env: Mapping[str, str], problems: list[str]) -> bool:
    text = env.get(name, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    problems.append(f"{name} is {text!r}: give 1 or 0.")
    return False
