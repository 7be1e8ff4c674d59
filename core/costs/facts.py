"""Where do the shipped facts lie, and when do two spellings name the same thing?"""

from __future__ import annotations

from core.settings import PROJECT

DATA = PROJECT / "data"


def squashed(name: str) -> str:
    """Letters and digits of a name in lower case, without the signs between the words."""
    return "".join(char for char in name.lower() if char.isalnum())
