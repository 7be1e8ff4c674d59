"""Of which ids of the catalog is an open model the same, and of which another?"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.catalog import open_catalog
from core.catalog.hosts import hosts_of
from core.costs.model_shapes import model_shapes
from core.costs.tokens import PriceSheet

SAME = [
    ("llama-3.3-70b", "databricks/databricks-meta-llama-3-3-70b-instruct"),
    ("llama-3.3-70b", "ovhcloud/Meta-Llama-3_3-70B-Instruct"),
    ("llama-3.3-70b", "groq/llama-3.3-70b-versatile"),
    ("llama-3.3-70b", "cloudflare/@cf/meta/llama-3.3-70b-instruct-fp8-fast"),
    ("llama-3.3-70b", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("llama-3.1-8b", "aws/meta.llama3-1-8b-instruct-v1:0"),
    ("llama-2-7b", "together/meta-llama/Llama-2-7b-chat-hf"),
    ("llama-4-scout", "groq/meta-llama/llama-4-scout-17b-16e-instruct"),
    ("mistral-7b", "aws/mistral.mistral-7b-instruct-v0:2"),
    ("mistral-7b", "ovhcloud/Mistral-7B-Instruct-v0.3"),
    ("mistral-small-24b", "openrouter/mistralai/mistral-small-24b-instruct-2501"),
    ("deepseek-r1", "aws/deepseek.r1-v1:0"),
    ("deepseek-r1", "openrouter/deepseek/deepseek-r1-0528"),
    ("deepseek-v3", "novita/deepseek/deepseek_v3"),
    ("glm-4.5-air", "huggingface_together/zai-org/GLM-4.5-Air-FP8"),
    ("gpt-oss-120b", "quicksilverpro/gpt-oss-120b"),
    ("gpt-oss-20b", "aws/openai.gpt-oss-20b-1:0"),
    ("gemma-3-27b", "aws/google.gemma-3-27b-it"),
    ("qwen2.5-72b", "openrouter/qwen/qwen-2.5-72b-instruct"),
    ("qwen3-14b", "doubleword/Qwen/Qwen3-14B-FP8"),
    ("phi-4", "azure/phi-4"),
]
OTHERS = [
    ("deepseek-r1", "huggingface_nscale/deepseek-ai/DeepSeek-R1-Distill-Llama-8B"),
    ("deepseek-v3", "deepseek/deepseek-v3.2"),
    ("glm-4.5", "zai/GLM-4.5-Air"),
    ("phi-4", "azure/phi-4-multimodal-instruct"),
    ("phi-4", "azure/phi-4-reasoning-plus"),
    ("mixtral-8x22b", "openrouter/cognitivecomputations/dolphin-mixtral-8x22b"),
    ("mixtral-8x7b", "groq/mixtral-8x7b-32768"),
    ("qwen2.5-32b", "openrouter/eva-qwen-2.5-32b"),
    ("qwen3-8b", "openrouter/deepseek-r1-0528-qwen3-8b"),
    ("qwen3-30b-a3b", "openrouter/qwen/qwen3-30b-a3b-thinking-2507"),
    ("mistral-large", "openrouter/mistralai/mistral-large-2512"),
    ("mistral-large", "openrouter/mistralai/mistral-large-2512:batch"),
    ("mistral-large", "aws/mistral.mistral-large-2402-v1:0"),
    ("gpt-oss-20b", "openrouter/openai/gpt-oss-20b:batch"),
    ("gpt-oss-20b", "openrouter/openai/gpt-oss-20b:free"),
    ("llama-3.1-405b", "groq/llama-3.1-405b-reasoning"),
    ("llama-3.1-405b", "openrouter/meta-llama/llama-3.1-405b"),
    ("llama-2-70b", "groq/llama2-70b-4096"),
    ("llama-2-7b", "together/togethercomputer/Llama-2-7B-32K-Instruct"),
    ("kimi-k2", "openrouter/moonshotai/kimi-k2.5"),
    ("kimi-k2", "openrouter/moonshotai/kimi-k2-thinking"),
    ("llama-3.3-70b", "cerebras/llama-3.3-70b"),
]


@pytest.fixture(scope="module")
def sheets(filled_database: Path) -> dict[str, PriceSheet]:
    with open_catalog(f"sqlite:///{filled_database}") as catalog:
        return dict(catalog.llm.sheets())


@pytest.mark.parametrize(("model_id", "key"), SAME)
def test_the_same_weights_are_found_under_the_name_a_seller_gives_them(
    sheets: dict[str, PriceSheet], model_id: str, key: str
) -> None:
    assert key in sheets
    assert key in hosts_of(model_id, sheets)


@pytest.mark.parametrize(("model_id", "key"), OTHERS)
def test_another_model_a_special_tier_or_a_retired_one_is_no_host(
    sheets: dict[str, PriceSheet], model_id: str, key: str
) -> None:
    assert key in sheets
    assert key not in hosts_of(model_id, sheets)


@pytest.mark.parametrize("model_id", ["qwen2.5-14b", "qwen2.5-32b", "gpt-j-6b"])
def test_a_model_that_nobody_sells_by_the_token_has_no_host(sheets: dict[str, PriceSheet], model_id: str) -> None:
    assert hosts_of(model_id, sheets) == []


def test_no_model_is_found_as_two(sheets: dict[str, PriceSheet]) -> None:
    found = [key for model_id in model_shapes() for key in hosts_of(model_id, sheets)]

    assert len(found) == len(set(found))
