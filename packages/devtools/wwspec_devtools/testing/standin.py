"""Copies of the emulator's stand-in, for tests that need more than one, or another way to the zone."""

import importlib.util
from types import ModuleType

from wwspec_devtools.emulator.standin.wwspec_standin.link import Link

_MODULE = "wwspec_devtools.emulator.standin.wwspec_standin.sdk"


def load_standin(link: Link | None = None) -> ModuleType:
    """Return a copy of the stand-in, which shares nothing with other copies and does not have the vendor's name.

    Args:
        link: How it calls; None for what WWSPEC_EMULATOR_URL says.
    """
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(_MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if link is not None:
        module._link = link  # type: ignore[attr-defined]  # the link that its calls use
    return module
