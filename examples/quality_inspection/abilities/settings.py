"""The program's own settings: the table [app] of wwspec.toml."""

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True):
    """What is inspected, and for whom not."""

    forbidden: Annotated[list[Annotated[str, Meta(min_length=2, max_length=32)]], Meta(min_length=1, max_length=50)]
    suspended: list[str] = []
