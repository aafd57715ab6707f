"""The public names of this code: those of the pages of the Python API, of SDK APIs and of events."""

from collections.abc import Iterator

import wwspec_router
import wwspec_router.client
from scripts.reference import testing_api
from scripts.reference.contracts import apis
from scripts.reference.entries import loaded, members
from scripts.reference.events import events
from wwspec_router.client.endpoints import ENDPOINTS

__all__ = ["public_names"]


def public_names() -> list[str]:
    """Return them as `module:name` or `module:Class.member`, sorted."""
    modules = {"wwspec_router": wwspec_router.__all__, "wwspec_router.client": wwspec_router.client.__all__}
    names = {name for module, public in {**modules, **testing_api.NAMES}.items() for name in _names(module, public)}
    names |= {f"wwspec_router.wecom:{api}.{name}" for api in apis() for name in ("Request", "Response")}
    names |= {f"wwspec_router.wecom.events:{event}.Event" for event in events()}
    for client in ("ZoneClient", "AsyncZoneClient"):
        names |= {f"wwspec_router.client:{client}.{method.__name__}" for method in ENDPOINTS.values()}
    return sorted(names)


def _names(module: str, public: list[str]) -> Iterator[str]:
    for name in public:
        yield f"{module}:{name}"
        found = loaded(f"{module}.{name}") if name not in ("UNSET", "UnsetType") else None  # msgspec's, without source
        if found is not None and found.is_class:
            yield from (f"{module}:{name}.{each.name}" for each in members(found))
