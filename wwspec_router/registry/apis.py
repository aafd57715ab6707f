"""How handlers call SDK APIs: from the type of a request to the API's name and the codec of its replies."""

from typing import Any

from wwspec_contracts.base import ApiRequest
from wwspec_router.handlers.base import ApiCodec
from wwspec_router.registry.loader import ApiContract


class RequestCodecs(dict[type[ApiRequest[Any]], ApiCodec]):
    """How an API is called, by its `Request`; the entry of a shipped contract is made when it is first needed.

    Args:
        codecs: How the API of each contract is called. Shipped contracts that the application replaces are included: a
            handler that imports one gets the reply of that contract.
    """

    def __init__(self, codecs: dict[ApiContract, ApiCodec]) -> None:
        super().__init__({each.request: codec for each, codec in codecs.items() if each.is_own})
        self._by_module = {each.module: (each, codec) for each, codec in codecs.items()}

    def __missing__(self, request: type[ApiRequest[Any]]) -> ApiCodec:
        contract, codec = self._by_module.get(request.__module__, (None, None))
        if contract is None or codec is None or contract.request is not request:
            raise TypeError(f"{request.__module__}.{request.__name__} is not the Request of a known SDK API")
        return self.setdefault(request, codec)

    def with_fields(self, *names: str) -> list[str]:
        """Return the names of the APIs whose `Request` has these fields. It imports all contracts."""
        found = (codec.name for contract, codec in self._by_module.values() if _fields(contract).issuperset(names))
        return sorted(set(found))


def _fields(contract: ApiContract) -> set[str]:
    return set(contract.request.__struct_fields__)
