"""Where `CallRefusedError` was in 0.1.0: tests that its console wrote import it from here."""

import warnings
from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name not in ("Answer", "CallRefusedError", "SubmittedCall"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = "wwspec_router.testing.zone"
    warnings.warn(f"import {name} from {place}; {__name__} goes in the release after next", DeprecationWarning, 2)
    return getattr(import_module(place), name)  # not an import statement: the emulator stands below the tests
