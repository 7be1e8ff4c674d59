"""Which model does a name mean? Exact ids first, then aliases; an unknown name is an error with the nearest names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from core.catalog.llm_tables import LlmAlias

CHAT_MAKERS = (
    "openai", "anthropic", "google", "deepseek", "mistral", "x-ai", "meta", "cohere", "moonshotai", "zai", "minimax",
)  # fmt: skip
"""Makers of models that answer a prompt and bill it by its tokens."""

MAKERS = (*CHAT_MAKERS, "perplexity", "voyageai")
"""All makers; a bare id belongs to its maker before anybody who resells it. Perplexity also bills every search, which
no price per token holds, and Voyage makes embeddings: neither can be compared as a chat model."""

# What may follow a known id without making it another model: dates, versions, effort and release words.
HARMLESS_WORD = re.compile(
    r"v?\d+[a-z]?|latest|preview|exp|experimental|beta|stable|thinking|minimal|low|medium|high|default|us|eu|apac|global"
)
SUGGESTION_COUNT = 5
PROVIDER_NAMES = {
    "gemini": "google", "models": "google", "vertex_ai": "google", "xai": "x-ai", "bedrock": "aws",
    "amazon-bedrock": "aws", "mistralai": "mistral", "together_ai": "together", "togetherai": "together",
    "fireworks_ai": "fireworks", "azure_ai": "azure", "vertex": "google", "publishers": "google",
    "moonshot": "moonshotai", "cohere_chat": "cohere", "z-ai": "zai",
}  # fmt: skip
"""What other tools call providers, and what they are called here."""

SELLS_ALSO = {"azure": ("openai", "anthropic", "deepseek", "x-ai", "moonshotai"), "google": ("anthropic",)}
"""Whose models a provider sells at the maker's price, as genai-prices states it; its own entries come first."""

# Path words that some addresses put between the provider and the id.
PATH_WORDS = re.compile(r"^(?:google/models/|anthropic/models/|accounts/fireworks/models/|models/|responses/|chat/)")
# AWS sells Claude under the id of its maker, with or without the geography of an inference profile before it.
AWS_CLAUDE = re.compile(r"^(?:(?:us|us-gov|eu|apac|jp|au|ca)\.)?(?=anthropic\.claude)")
COMPACT_DATE = re.compile(r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=$|-|:)")


class UnknownModelError(LookupError):
    """No model has this name; `suggestions` are the nearest `provider/model` names, best first."""

    def __init__(self, model: str, suggestions: Sequence[str]) -> None:
        self.model = model
        self.suggestions = tuple(suggestions)
        hint = f" Did you mean {', '.join(self.suggestions)}?" if suggestions else ""
        super().__init__(f"No model is named {model!r}.{hint}")


class AliasIndex:
    """Finds `provider/model` keys by id, alias, or near spelling."""

    def __init__(self, keys: Iterable[str], aliases: Iterable[LlmAlias]) -> None:
        self._keys = {key.lower(): key for key in keys}
        self._providers = sorted({key.partition("/")[0] for key in self._keys})
        self._exact: dict[tuple[str, str], str] = {}
        self._rules: dict[str, list[tuple[str, str, str]]] = {}
        for one in aliases:
            key = f"{one.provider_id}/{one.model_id}"
            if one.kind == "exact":
                self._exact.setdefault((one.provider_id, one.pattern), key)
            else:
                self._rules.setdefault(one.provider_id, []).append((one.kind, one.pattern, key))

    def resolve(self, name: str) -> str:
        """`provider/model` as stored; UnknownModelError when no one name is meant."""
        text = name.strip().lower()
        provider, slash, model = text.partition("/")
        if not slash and (before := text.partition(":"))[0] in self._providers:
            provider, slash, model = before
        if provider not in self._providers:
            provider = PROVIDER_NAMES.get(provider, provider)
        if slash and provider in self._providers:
            for seller in (provider, *SELLS_ALSO.get(provider, ())):
                found = self._in_provider(seller, model)
                if found:
                    return found
        elif text:
            for maker in (*MAKERS, *(one for one in self._providers if one not in MAKERS)):
                found = self._in_provider(maker, text)
                if found:
                    return found
        raise UnknownModelError(name, self.suggest(text))

    def _in_provider(self, provider: str, model: str) -> str | None:
        if not model:
            return None
        # gpt-4.1-20250414 is how some tools write gpt-4.1-2025-04-14.
        spellings = [model, COMPACT_DATE.sub(r"-\1-\2-\3", model), PATH_WORDS.sub("", model)]
        if provider == "aws" and AWS_CLAUDE.match(model):
            spellings.append(AWS_CLAUDE.sub("regional.", model))
        for one in spellings:
            exact = self._keys.get(f"{provider}/{one}") or self._exact.get((provider, one))
            if exact:
                return exact
        matching = [
            (len(pattern), key)
            for kind, pattern, key in self._rules.get(provider, ())
            if any(_matches(kind, pattern, one) for one in (model, PATH_WORDS.sub("", model)))
        ]
        return max(matching, key=lambda pair: pair[0])[1] if matching else None

    def suggest(self, text: str) -> list[str]:
        """The nearest names, makers before resellers."""
        bare = text.rpartition("/")[2]
        by_id: dict[str, list[str]] = {}
        for key in self._keys:
            by_id.setdefault(key.partition("/")[2], []).append(self._keys[key])
        near = difflib.get_close_matches(bare, by_id, n=SUGGESTION_COUNT, cutoff=0.5)
        ranked = [key for one in near for key in sorted(by_id[one], key=_rank)]
        provider = text.partition("/")[0]
        ranked.sort(key=lambda key: key.partition("/")[0] != provider)
        return ranked[:SUGGESTION_COUNT]


def _rank(key: str) -> int:
    provider = key.partition("/")[0]
    return MAKERS.index(provider) if provider in MAKERS else len(MAKERS)


def _matches(kind: str, pattern: str, model: str) -> bool:
    """Whether an alias rule means this id; what a prefix leaves over must be a date, version or release word.

    A rule that took any ending would price `claude-sonnet-4-5-anything` as Claude Sonnet 4.5.
    """
    if kind == "regex":
        return re.search(pattern, model) is not None
    if kind == "prefix" and model.startswith(pattern):
        rest = model[len(pattern) :]
    elif kind == "suffix" and model.endswith(pattern):
        rest = model[: -len(pattern)]
    elif kind == "contains" and pattern in model:
        rest = model.replace(pattern, "", 1)
    else:
        return False
    return all(HARMLESS_WORD.fullmatch(word) for word in re.split(r"[-@:./_]+", rest) if word)
