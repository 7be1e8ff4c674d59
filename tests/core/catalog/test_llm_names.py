"""Which model does a name mean, and what is said when none does?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.catalog import Catalog, TokenUsage, UnknownModelError, open_catalog


@pytest.fixture(scope="module")
def catalog(filled_database: Path) -> Iterator[Catalog]:
    with open_catalog(f"sqlite:///{filled_database}") as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("openai/gpt-4.1", "openai/gpt-4.1"),
        ("OpenAI/GPT-4.1", "openai/gpt-4.1"),
        (" gpt-4.1 ", "openai/gpt-4.1"),
        ("openai/gpt-4.1-2025-04-14", "openai/gpt-4.1"),
        ("gpt-4.1-20250414", "openai/gpt-4.1"),
        ("claude-sonnet-4-20250514", "anthropic/claude-sonnet-4-0"),
        ("claude-sonnet-4-5@20250929", "anthropic/claude-sonnet-4-5"),
        ("deepseek-chat-v3.2", "deepseek/deepseek-chat"),
        ("gemini/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("azure/gpt-4o", "openai/gpt-4o"),
        ("xai/grok-4", "x-ai/grok-4-0709"),
        ("gemini-1.5-flash-8b", "google/gemini-1.5-flash-8b"),
        ("mistral/mistral-medium-3", "mistral/mistral-medium-3-1"),
        ("openrouter/openai/gpt-4.1", "openrouter/openai/gpt-4.1"),
        ("llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
    ],
)
def test_a_model_is_found_by_id_alias_prefix_and_date(catalog: Catalog, name: str, key: str) -> None:
    assert catalog.llm.resolve(name) == key


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("gpt-4.1x", "openai/gpt-4.1"),
        ("openai/gpt-4.1-foo", "openai/gpt-4.1"),
        ("claude-sonnet-4-7", "anthropic/claude-sonnet-4-6"),
        ("nosuch/gpt-4.1", "openai/gpt-4.1"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest_names(catalog: Catalog, name: str, suggestion: str) -> None:
    with pytest.raises(UnknownModelError, match="No model is named") as caught:
        catalog.llm.resolve(name)
    assert suggestion in caught.value.suggestions


@pytest.mark.parametrize("name", ["", "openai/", "/", "zzzzzzzzzzzz", "gpt-4.1; drop table llm_price"])
def test_nonsense_is_never_priced(catalog: Catalog, name: str) -> None:
    with pytest.raises(UnknownModelError):
        catalog.llm.resolve(name)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "aws/regional.anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("bedrock/us.anthropic.claude-opus-4-20250514-v1:0", "aws/regional.anthropic.claude-opus-4-20250514-v1:0"),
        ("apac.anthropic.claude-3-haiku-20240307-v1:0", "aws/regional.anthropic.claude-3-haiku-20240307-v1:0"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws/global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openai/responses/gpt-5", "openai/gpt-5"),
        ("openai:gpt-4o", "openai/gpt-4o"),
        ("azure_ai/gpt-4o", "openai/gpt-4o"),
    ],
)  # fmt: skip
def test_ids_as_clouds_and_other_tools_write_them_are_understood(catalog: Catalog, written: str, meant: str) -> None:
    assert catalog.llm.resolve(written) == meant


@pytest.mark.parametrize("name", [None, 5, ["openai/gpt-4o"]])
def test_a_model_that_is_no_text_is_refused_in_one_sentence(catalog: Catalog, name: Any) -> None:
    with pytest.raises(ValueError, match=r"model is .*give a name"):
        catalog.quote(name, TokenUsage(input_tokens=1))
