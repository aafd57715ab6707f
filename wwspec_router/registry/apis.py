"""How handlers call SDK APIs: from the type of a request to the API's name and the codec of its replies."""

from typing import Any

from wwspec_router.contracts import ApiRequest
from wwspec_router.handlers.context import ApiCodec
from wwspec_router.registry.loader import ApiContract

__all__ = ["RequestCodecs"]


class RequestCodecs(dict[type[ApiRequest[Any]], ApiCodec]):
    """From an API's `Request` to how it is called; that of a shipped contract is entered when it is first asked for.

    Args:
        codecs: How the API of each contract is called, also of shipped contracts that the application replaces: a
            handler that imports one of these gets the reply that belongs to it.
    """

    def __init__(self, codecs: dict[ApiContract, ApiCodec]) -> None:
        super().__init__({each.request: codec for each, codec in codecs.items() if each.is_own})
        self._by_module = {each.module: (each, codec) for each, codec in codecs.items()}

    def __missing__(self, request: type[ApiRequest[Any]]) -> ApiCodec:
        contract, codec = self._by_module.get(request.__module__, (None, None))
        if contract is None or codec is None or contract.request is not request:
            raise TypeError(f"{request.__module__}.{request.__name__} is not the Request of a known SDK API")
        return self.setdefault(request, codec)
