"""Which model of the catalog does an exported model name mean?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

# Exports name a dated snapshot (`-2024-07-18`, `-20250929`); the catalog prices the model behind it.
_DATE = re.compile(r"[-@](20\d{2}-?[01]\d-?[0-3]\d)$")
_SPLIT = re.compile(r"[-._:@ ]+")
_DECORATIONS = frozenset({"latest", "preview", "exp", "free", "beta"})
SUGGESTION_COUNT = 3

# Exports name the seller, the catalog the provider: where these differ.
PROVIDERS = {
    "google ai studio": "google",
    "google vertex": "google",
    "gemini": "google",
    "vertex_ai": "google",
    "amazon bedrock": "aws",
    "bedrock": "aws",
    "mistralai": "mistral",
    "meta-llama": "meta",
    "x-ai": "x-ai",
    "xai": "x-ai",
}


def match_model(name: str, provider_id: str, known: Collection[str]) -> str | None:
    """The catalog's "provider/model" that an exported name surely means, else None.

    Tried in turn: the very name, without its date, and with its words in another order (`claude-4.5-sonnet` is
    `claude-sonnet-4-5`). A name that fits several models of one provider fits none.
    """
    author, _, bare = name.strip().lower().rpartition("/")
    providers = [found for found in (_provider(author.rpartition("/")[2]), _provider(provider_id)) if found]
    for wanted in (bare, _DATE.sub("", bare)):
        for provider in providers:
            if f"{provider}/{wanted}" in known:
                return f"{provider}/{wanted}"
    words = _words(bare)
    for provider in providers:
        same = [model for model in known if model.startswith(f"{provider}/") and _words(_bare(model)) == words]
        if len(same) == 1:
            return same[0]
    return None


def suggest_models(name: str, known: Iterable[str]) -> list[str]:
    """Up to `SUGGESTION_COUNT` models of the catalog whose names look alike, the likeliest first."""
    by_bare: dict[str, str] = {}
    for model in known:
        by_bare.setdefault(_bare(model), model)
    wanted = _DATE.sub("", _bare(name.lower()))
    return [by_bare[found] for found in get_close_matches(wanted, by_bare, n=SUGGESTION_COUNT, cutoff=0.5)]


def _provider(name: str) -> str:
    name = name.strip().lower()
    return PROVIDERS.get(name, name)


def _bare(model: str) -> str:
    return model.rpartition("/")[2]


def _words(name: str) -> tuple[str, ...]:
    words = [word for word in _SPLIT.split(_DATE.sub("", name)) if word and word not in _DECORATIONS]
    return tuple(sorted(words))
