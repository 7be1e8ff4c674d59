"""Where can a prompt be sent: which base URLs, keys and models?"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import urlsplit

from core.gateway.errors import BaseUrlError

DialectName = Literal["openai", "anthropic", "gemini", "article_gemini"]
DIALECT_NAMES: tuple[str, ...] = get_args(DialectName)


def clean_base_url(base_url: str) -> str:
    """The base URL without trailing slash; BaseUrlError when it is no plain http(s) address."""
    text = base_url.strip() if isinstance(base_url, str) else ""
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or not text.isascii() or any(sign.isspace() for sign in text):
        raise BaseUrlError("base_url: give an address such as https://api.example.com/v1.")
    if parts.username is not None or parts.password is not None:
        raise BaseUrlError("base_url: leave the user and password out, give the key as api_key.")
    if parts.query or parts.fragment:
        raise BaseUrlError("base_url: leave out everything from ? or # on.")
    return text.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A base URL with one key and one dialect. Its `repr` shows neither key nor headers.

    `provider_id` names the seller in the price catalog (default: the name). `models` are the names known to exist
    there: with any given, others are refused before sending. `weight` is its share in a weighted `TargetGroup`.
    `requests_per_min` and `tokens_per_min` hold for each model of the endpoint; None is unlimited.
    `is_user_typed` marks an address a visitor gave (see `user_base_url`): each connection then checks where its name
    leads. Raises BaseUrlError or ValueError, never with the key in the text.
    """

    name: str
    base_url: str
    api_key: str = field(default="", repr=False)
    dialect: str = "openai"
    provider_id: str = ""
    models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    weight: float = 1.0
    requests_per_min: int | None = None
    tokens_per_min: int | None = None
    is_user_typed: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name: give the endpoint a name.")
        if self.dialect not in DIALECT_NAMES:
            raise ValueError(f"dialect is {self.dialect!r}: give one of {', '.join(DIALECT_NAMES)}.")
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}: give a number above 0.")
        key = (self.api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError("api_key: it holds signs that no key has; copy it again.")
        object.__setattr__(self, "api_key", key)
        object.__setattr__(self, "base_url", clean_base_url(self.base_url))
        object.__setattr__(self, "provider_id", self.provider_id or self.name)
        object.__setattr__(self, "models", tuple(self.models))

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model at one endpoint (by the endpoint's name). `is_reasoning` None: told by the model's name."""

    endpoint: str
    model: str
    is_reasoning: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """Several targets that serve one model: the load is spread, and the others are the first to fail over to.

    "weighted" draws by the endpoints' weights, "least_busy" takes the one with the fewest calls under way per weight.
    Raises ValueError without a target and for another strategy.
    """

    targets: tuple[Target, ...]
    strategy: Literal["weighted", "least_busy"] = "weighted"

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(self.targets))
        if not self.targets:
            raise ValueError("targets: give the group at least one target.")
        if self.strategy not in {"weighted", "least_busy"}:
            raise ValueError(f"strategy is {self.strategy!r}: give weighted or least_busy.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A seller's address as it publishes it; `needs_key` is False for a server on the own machine."""

    name: str
    label: str
    base_url: str
    dialect: DialectName
    provider_id: str
    needs_key: bool = True

    def endpoint(self, api_key: str = "", *, name: str = "", models: tuple[str, ...] = ()) -> Endpoint:
        """An endpoint at this address."""
        return Endpoint(
            name=name or self.name, base_url=self.base_url, api_key=api_key, dialect=self.dialect,
            provider_id=self.provider_id, models=models,
        )  # fmt: skip


def _preset(
    name: str, label: str, base_url: str, dialect: DialectName = "openai", provider_id: str = "", needs_key: bool = True
) -> Preset:
    return Preset(
        name=name, label=label, base_url=base_url, dialect=dialect, provider_id=provider_id or name, needs_key=needs_key
    )


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        _preset("holysheep", "HolySheep", "https://api.holysheep.ai/v1"),
        _preset("openai", "OpenAI", "https://api.openai.com/v1"),
        _preset("anthropic", "Anthropic", "https://api.anthropic.com/v1", "anthropic"),
        _preset("google", "Google Gemini", "https://generativelanguage.googleapis.com", "gemini"),
        _preset("deepseek", "DeepSeek", "https://api.deepseek.com/v1"),
        _preset("openrouter", "OpenRouter", "https://openrouter.ai/api/v1"),
        _preset("ollama", "Ollama", "http://127.0.0.1:11434/v1", needs_key=False),
        _preset("vllm", "vLLM", "http://127.0.0.1:8000/v1", needs_key=False),
    )
}

# Names that cloud machines answer with the secrets of the machine itself.
_METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data", "metadata.azure.internal"})
# Alibaba's and AWS's IPv6 metadata addresses lie outside the link-local range.
_METADATA_ADDRESSES = frozenset({"100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "168.63.129.16"})


# NAT64 (RFC 6052, RFC 8215) and the old IPv4-compatible addresses: the last 32 bits are an IPv4 address.
_EMBEDDING = tuple(ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a translator or tunnel would make of it."""
    found = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if found is None and any(ip in net for net in _EMBEDDING):
        found = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return found


def is_forbidden_address(address: str) -> bool:
    """Whether an IP address is link-local, a metadata service, or no address one machine can have."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    inner = _embedded(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    return any(
        one.is_link_local or one.is_multicast or one.is_unspecified or str(one) in _METADATA_ADDRESSES
        for one in (ip, inner) if one is not None
    )  # fmt: skip


def user_base_url(base_url: str, *, is_allowed: bool) -> str:
    """A base URL typed by a user, cleaned; BaseUrlError unless the operator allows such and it is harmless.

    Its name may still lead to a forbidden address: build the Endpoint with `is_user_typed=True`.
    """
    if not is_allowed:
        raise BaseUrlError("base_url: this server takes addresses from its own settings only.")
    text = clean_base_url(base_url)
    host = (urlsplit(text).hostname or "").rstrip(".").lower()
    # Resolvers read 2852039166, 0xa9fea9fe and 0251.0376.0251.0376 as addresses too.
    last_label = host.rpartition(".")[2]
    looks_like_address = ":" in host or last_label.isdigit() or last_label.startswith("0x")
    if host in _METADATA_HOSTS or (looks_like_address and is_forbidden_address(host)):
        raise BaseUrlError("base_url: this address belongs to the machine's own network and is not allowed.")
    return text
