"""Which models of the catalog are this open model, the same weights at another seller, and no other's?

A name is the model's when nothing is left of it once what sellers add is taken away: the maker before it, "instruct"
and its like, a release date, how the weights are stored or run (fp8, awq, turbo, fast). Another version, size, task or
finetune leaves a word, and so do releases that answer otherwise (thinking, reasoning, base).

Left out as well: retired models, free ones, batch prices and other special tiers (`:free`, `:batch`), for they are no
offer to serve a load at any time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from core.costs.facts import squashed
from core.costs.tokens import PriceSheet

# AWS numbers its copies: `-v1:0`, `-1:0`.
COPY_NUMBER = re.compile(r"-v?\d+:\d+$")
MAKER = re.compile(r"^(?:databricks|meta|meta-llama|mistral|mistralai|google|openai|qwen|zai)[-.](?=[a-z])")
# Releases are dated by year and month (2507) or month and day (0324); 4096 is a length of context.
DATE = r"2[3-9](?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"
DECORATION = re.compile(
    rf"-(?:instruct|chat|it|hf|{DATE}|fp8|fp16|bf16|int8|int4|awq|gptq|turbo|fast|instant|versatile|basic|maas)$"
)
# A version of the instructed model. Without "instruct" before it, it is that of the base model.
INSTRUCT_VERSION = re.compile(r"-instruct-v\d\.\d$")
# The models that only continue a text: by their name, and those that do not say so in it (openrouter.ai/models).
BASE = re.compile(r"\bbase\b", re.IGNORECASE)
BASE_IDS = frozenset({"meta-llama/llama-3.1-405b", "llama-3.1-405b"})

# Longer names that makers give the same model.
ALSO_NAMED: Mapping[str, tuple[str, ...]] = {
    "llama-4-scout": ("llama-4-scout-17b-16e", "llama-4-scout-17b"),
    "llama-4-maverick": ("llama-4-maverick-17b-128e", "llama-4-maverick-17b"),
    "deepseek-r1": ("deepseek.r1",),
}
# Releases that bear the name of a model of another size: Mistral Large is 123 billion parameters from 2407 to 2411.
OTHER_SIZE: Mapping[str, re.Pattern[str]] = {"mistral-large": re.compile(r"-(?:2402|25\d\d|26\d\d)\b")}


def hosts_of(model_id: str, sheets: Mapping[str, PriceSheet]) -> list[str]:
    """`provider/model` of every live model of the catalog that is the open model of this id, in the order given."""
    wanted = {squashed(name) for name in (model_id, *ALSO_NAMED.get(model_id, ()))}
    other = OTHER_SIZE.get(model_id)
    return [
        key
        for key, sheet in sheets.items()
        if _same(sheet.model_id, frozenset(wanted))
        and not sheet.is_retired
        and sheet.model_id not in BASE_IDS
        and not BASE.search(sheet.name or "")
        and not (other and other.search(sheet.model_id))
    ]


def _same(model_id: str, wanted: Iterable[str]) -> bool:
    return not _names(model_id).isdisjoint(wanted)


@lru_cache(maxsize=16_384)
def _names(model_id: str) -> frozenset[str]:
    """What an id may mean without decorations, squashed: with and without its maker; empty for a special tier."""
    name = COPY_NUMBER.sub("", model_id.lower().replace("_", "-").rpartition("/")[2])
    if ":" in name:
        return frozenset()
    name, was = INSTRUCT_VERSION.sub("", name), ""
    while name != was:
        name, was = DECORATION.sub("", name), name
    found = {squashed(name)}
    while (rest := MAKER.sub("", name)) != name:
        name = rest
        found.add(squashed(name))
    return frozenset(found)
