"""The key by which a program recognises a repeated call, in the field of the request that its registry file names.

WeCom passes nothing beside the request's data, so the key goes there.
"""

from typing import Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import ConfigurationError, JsonError

_WHOLE = "*"
"""The whole request is the key."""


def with_key(ability_id: str, api: str, request: str, path: str, key: str) -> str:
    """Return a request with an idempotency key in it.

    Args:
        ability_id: What is called.
        api: The SDK API behind it, where that is known.
        request: JSON text.
        path: The field, such as `order.id`; empty when it is not known, `*` for the whole request.
        key: The key.

    Raises:
        ConfigurationError: The field is not known or can't take the key; the text says how to fix it.
    """
    if not path:
        raise _refused(ability_id, *_UNKNOWN_OF_API if api else _UNKNOWN)
    if path == _WHOLE:
        raise _refused(
            ability_id, "recognises a repeated call by its whole request", "give it retry_unsafe=True instead"
        )
    try:
        whole = decode_json(request, dict[str, Any])
    except JsonError:
        raise _refused(ability_id, "has a request that is no JSON object", "give it one") from None
    *outer, name = path.split(".")
    inside: Any = whole
    for each in outer:
        inside = inside.get(each) if isinstance(inside, dict) else None
    if not isinstance(inside, dict):
        raise _refused(ability_id, f"has a request without the object that has the field $.{path}", "give it one")
    if inside.get(name) not in (None, "", key):
        raise _refused(ability_id, f"has a request with another value at $.{path}", "leave one of the two out")
    inside[name] = key
    return msgspec.json.encode(whole).decode()


_UNKNOWN = (
    "has no field that is known to hold the key",
    "call it by its request in the module that `wwspec contracts --client` writes, or name the once.key of its row in "
    'the registry: with_options(idempotency_key=..., idempotency_field="order.id"). An ability without `once` '
    "recognises no repeated call",
)
_UNKNOWN_OF_API = (
    "is an SDK API, which recognises no repeated call",
    "write an ability with `once` that calls the API; or, as it only reads, give it retry_unsafe=True instead",
)


def _refused(ability_id: str, reason: str, fix: str) -> ConfigurationError:
    return ConfigurationError(f"idempotency_key: {ability_id} {reason}: {fix}")
