"""Hides secrets in what is shown of an exchange. Recorded exchanges keep them, so that they can be sent again."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError

MASK = "***"

_SECRETS = frozenset(
    "AuthCode SuiteTicket access_token auth_code code corpsecret debug_access_token debug_token encoding_aes_key "
    "encrypted_secret_key job_info permanent_code pre_auth_code secret secret_key suite_access_token suite_secret "
    "suite_ticket ticket token user_doc_ticket user_ticket".split()
)
_HEADERS = frozenset(
    ("authorization", "cookie", "proxy-authorization", "set-cookie", "ww-debug-access-token", "ww-job-info")
)
_MAX_DEPTH = 64
_HIDDEN = "|".join(sorted(_SECRETS)) + r"|\\u00[4-7]"
"""Finds secret names that the decoded value may lack: when a name comes twice, only the last value is decoded."""
_PARAMETER = r"([?&])([^=&]+)=([^&]*)"


def masked_value(value: Any, depth: int = 0) -> Any:
    """Return a JSON value with the values of secret names masked, also in JSON that travels as text inside it."""
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, dict):
        return {
            key: MASK if key in _SECRETS and item and not isinstance(item, bool) else masked_value(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked_value(item, depth + 1) for item in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        return masked_text(value, depth)
    return value


def masked_text(text: str, depth: int = 0) -> str:
    """Mask secrets in a JSON text; a text without secrets, or one that is not JSON, is returned unchanged."""
    try:
        value = decode_json(text)
    except JsonError:
        return text
    masked = masked_value(value, depth + 1)
    return text if masked == value and not re.search(_HIDDEN, text) else msgspec.json.encode(masked).decode()


def unmasked_text(text: str, recorded: str) -> str:
    """Return a JSON text that was edited after masking, with the secrets of the recorded text put back.

    A masked value is replaced by the recorded value at the same place, if there is one.
    """
    if MASK not in text:
        return text
    try:
        value, original = decode_json(text), decode_json(recorded)
    except JsonError:
        return text
    restored = _unmasked(value, original)
    return text if restored == value else msgspec.json.encode(restored).decode()


def _unmasked(value: Any, recorded: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, dict) and isinstance(recorded, dict):
        return {
            key: recorded[key]
            if item == MASK and key in _SECRETS and key in recorded
            else _unmasked(item, recorded.get(key), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list) and isinstance(recorded, list):
        known = len(recorded)
        return [
            _unmasked(item, recorded[index] if index < known else None, depth + 1) for index, item in enumerate(value)
        ]
    if isinstance(value, str) and isinstance(recorded, str):
        return unmasked_text(value, recorded)
    return value


def masked_headers(headers: Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return headers as texts, with the secret ones masked."""
    shown = ((_text(name), _text(value)) for name, value in headers)
    return [(name, MASK if value and name.lower() in _HEADERS else value) for name, value in shown]


def masked_path(path: str) -> str:
    """Return a path or URL with the secret parameters of its query masked."""
    return re.sub(_PARAMETER, _masked_parameter, path)


def _masked_parameter(found: "re.Match[str]") -> str:
    mark, name, value = found.groups()
    return f"{mark}{name}={MASK if value and unquote(name) in _SECRETS else value}"


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
