"""Which families of API can the gateway speak? One file each, and one line here that registers it."""

from __future__ import annotations

from core.gateway.dialects import anthropic, article_gemini, gemini, openai
from core.gateway.dialects.shape import Dialect

DIALECTS: dict[str, Dialect] = {
    "openai": openai.DIALECT,
    "anthropic": anthropic.DIALECT,
    "gemini": gemini.DIALECT,
    "article_gemini": article_gemini.DIALECT,
}
