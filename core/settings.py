"""What can an operator set, and from where is it read?"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

from core.i18n import Said, said

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_DATABASE_URL = f"sqlite:///{PROJECT / 'breakeven.db'}"

# A round planning value, not a market quote: the program fetches nothing by itself. Shown with its date, editable.
DEFAULT_KRW_PER_USD = 1_400.0
DEFAULT_FX_DATE = dt.date(2026, 11, 20)

KRW_PER_USD_MIN, KRW_PER_USD_MAX = 500.0, 5_000.0
DEFAULT_DEMO_SPEED = 1.0
DEMO_SPEED_MIN, DEMO_SPEED_MAX = 0.1, 1_000.0
CAP_USD_MAX = Decimal(1_000_000)
PER_MIN_MAX = 1_000_000_000

BASE_URL_PREFIX = "BREAKEVEN_BASE_URL_"
MODELS_PREFIX = "BREAKEVEN_MODELS_"
_ENDPOINT_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
# Names of simulated sellers begin so; an endpoint that is called like them would be taken for one.
_SIMULATED = "DEMO"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """What is set for endpoints, by their name in lower case.

    `base_urls` are addresses of OpenAI-compatible servers, or another address for a known seller; `models` the names
    to offer there. `requests_per_min` and `tokens_per_min` hold for each model of an endpoint, those under "" for all
    endpoints without a limit of their own. `is_enabled` switches servers on the own machine on or off.
    """

    base_urls: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requests_per_min: Mapping[str, int] = field(default_factory=dict)
    tokens_per_min: Mapping[str, int] = field(default_factory=dict)
    is_enabled: Mapping[str, bool] = field(default_factory=dict)

    def limits_of(self, name: str) -> tuple[int | None, int | None]:
        """Requests and tokens per minute for each model of an endpoint, None for no limit."""
        requests = self.requests_per_min.get(name) or self.requests_per_min.get("")
        return requests, self.tokens_per_min.get(name) or self.tokens_per_min.get("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The operator's settings; `problems` names each value that was refused, in one sentence of any language each.

    Caps are in USD, None for no cap. `demo_speed` multiplies the pace of simulated models, 1 being a human reader's.
    """

    database_url: str = DEFAULT_DATABASE_URL
    redis_url: str | None = None
    krw_per_usd: float = DEFAULT_KRW_PER_USD
    fx_date: dt.date = DEFAULT_FX_DATE
    allow_custom_base_url: bool = False
    log_prompts: bool = False
    demo_speed: float = DEFAULT_DEMO_SPEED
    cap_usd_per_day: Decimal | None = None
    cap_usd_per_user: Decimal | None = None
    cap_usd_per_session: Decimal | None = None
    endpoints: EndpointSettings = field(default_factory=EndpointSettings)
    problems: tuple[Said, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Settings from environment variables; an unusable value keeps its default and is named in `problems`."""
        problems: list[Said] = []
        return cls(
            database_url=env.get("BREAKEVEN_DATABASE_URL") or env.get("DATABASE_URL") or DEFAULT_DATABASE_URL,
            redis_url=env.get("REDIS_URL") or None,
            krw_per_usd=_krw_per_usd(env.get("BREAKEVEN_KRW_PER_USD"), problems),
            fx_date=_date(env.get("BREAKEVEN_FX_DATE"), problems),
            allow_custom_base_url=_flag("BREAKEVEN_ALLOW_CUSTOM_BASE_URL", env, problems),
            log_prompts=_flag("BREAKEVEN_LOG_PROMPTS", env, problems),
            demo_speed=_demo_speed(env.get("BREAKEVEN_DEMO_SPEED"), problems),
            cap_usd_per_day=_cap_usd("BREAKEVEN_CAP_USD_PER_DAY", env, problems),
            cap_usd_per_user=_cap_usd("BREAKEVEN_CAP_USD_PER_USER", env, problems),
            cap_usd_per_session=_cap_usd("BREAKEVEN_CAP_USD_PER_SESSION", env, problems),
            endpoints=_endpoints(env, problems),
            problems=tuple(problems),
        )


def _krw_per_usd(text: str | None, problems: list[Said]) -> float:
    if not text:
        return DEFAULT_KRW_PER_USD
    value = _number(text)
    if KRW_PER_USD_MIN <= value <= KRW_PER_USD_MAX:
        return value
    limits = {"low": f"{KRW_PER_USD_MIN:.0f}", "high": f"{KRW_PER_USD_MAX:.0f}"}
    problems.append(said("shell.setting_rate", name="BREAKEVEN_KRW_PER_USD", given=text, **limits))
    return DEFAULT_KRW_PER_USD


def _demo_speed(text: str | None, problems: list[Said]) -> float:
    if not text:
        return DEFAULT_DEMO_SPEED
    value = _number(text)
    if DEMO_SPEED_MIN <= value <= DEMO_SPEED_MAX:
        return value
    limits = {"low": f"{DEMO_SPEED_MIN:g}", "high": f"{DEMO_SPEED_MAX:g}"}
    problems.append(said("shell.setting_demo_speed", name="BREAKEVEN_DEMO_SPEED", given=text, **limits))
    return DEFAULT_DEMO_SPEED


def _number(text: str) -> float:
    """NaN, which is within no limits, for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _date(text: str | None, problems: list[Said]) -> dt.date:
    if not text:
        return DEFAULT_FX_DATE
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        problems.append(said("shell.setting_date", name="BREAKEVEN_FX_DATE", given=text))
        return DEFAULT_FX_DATE


def _flag(name: str, env: Mapping[str, str], problems: list[Said]) -> bool:
    text = env.get(name, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    problems.append(said("shell.setting_flag", name=name, given=text))
    return False


def _cap_usd(name: str, env: Mapping[str, str], problems: list[Said]) -> Decimal | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if value.is_finite() and 0 <= value <= CAP_USD_MAX:
        return value
    problems.append(said("shell.setting_cap", name=name, given=text, high=f"{CAP_USD_MAX:,}"))
    # A cap that cannot be read must not mean that nothing is capped.
    return Decimal(0)


def _endpoints(env: Mapping[str, str], problems: list[Said]) -> EndpointSettings:
    """What is set by a name that holds the endpoint's: read in one pass over the environment."""
    base_urls: dict[str, str] = {}
    models: dict[str, tuple[str, ...]] = {}
    per_min: dict[str, dict[str, int]] = {"_REQUESTS_PER_MIN": {}, "_TOKENS_PER_MIN": {}}
    is_enabled: dict[str, bool] = {}
    for name in sorted(env):
        if name.startswith(BASE_URL_PREFIX):
            _add_base_url(name, env[name].strip(), base_urls, problems)
        elif name.startswith(MODELS_PREFIX):
            found = tuple(one.strip() for one in env[name].split(",") if one.strip())
            models[name.removeprefix(MODELS_PREFIX).lower()] = found
        elif name.endswith("_ENABLED"):
            if name.removesuffix("_ENABLED") in {"OLLAMA", "VLLM"} and env[name].strip():
                is_enabled[name.removesuffix("_ENABLED").lower()] = _flag(name, env, problems)
        elif name.endswith("_PER_MIN"):
            _add_per_min(name, env[name].strip(), per_min, problems)
    return EndpointSettings(
        base_urls=base_urls, models=models, is_enabled=is_enabled,
        requests_per_min=per_min["_REQUESTS_PER_MIN"], tokens_per_min=per_min["_TOKENS_PER_MIN"],
    )  # fmt: skip


def _add_base_url(name: str, url: str, found: dict[str, str], problems: list[Said]) -> None:
    if not url:
        return
    endpoint = name.removeprefix(BASE_URL_PREFIX)
    if not _ENDPOINT_NAME.fullmatch(endpoint) or endpoint.startswith(_SIMULATED):
        problems.append(said("shell.setting_endpoint_name", name=name, reserved=_SIMULATED))
        return
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or "@" in parts.netloc or parts.query or parts.fragment or not url.isascii() or " " in url:
        # Without the value: it may hold a password, and every visitor reads this.
        problems.append(said("shell.setting_address", name=name))
        return
    found[endpoint.lower()] = url.rstrip("/")


def _add_per_min(name: str, text: str, found: Mapping[str, dict[str, int]], problems: list[Said]) -> None:
    suffix = next((one for one in found if name.endswith(one)), None)
    if suffix is None or not text:
        return
    endpoint = name.removesuffix(suffix)
    limit = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0
    if 1 <= limit <= PER_MIN_MAX:
        found[suffix]["" if endpoint == "BREAKEVEN" else endpoint.lower()] = limit
    else:
        problems.append(said("shell.setting_per_min", name=name, given=text, high=f"{PER_MIN_MAX:,}"))
