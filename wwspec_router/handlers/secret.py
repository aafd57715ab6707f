"""A secret among the application's own settings: a text that shows itself only where the code asks for it."""

import hmac
from typing import TYPE_CHECKING, Any, Self

MASK = "***"

if TYPE_CHECKING:  # which must refuse a secret where a text is wanted: it would be the mask

    class _Shown:
        def __new__(cls, text: str) -> Self: ...

else:
    _Shown = str  # so whatever writes it writes the mask: formats, JSON, a library that takes any text


class Secret(_Shown):
    """A text that never prints: `reveal` returns it, and all else shows `***`.

    That holds for `str`, `repr` and formats, `json` and `pickle`, log lines, and tracebacks that show local variables;
    msgspec refuses to encode it. It is for fields of the Struct that `[program] settings` names: see `ctx.settings`.

    Args:
        text: What is secret.

    Raises:
        TypeError: It is no string.

    Examples:
        >>> from wwspec_router import Secret
        >>> token = Secret("s3cret")
        >>> print(f"the token is {token}")
        the token is ***
        >>> token.reveal()
        's3cret'
    """

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str) -> Self:
        """Return a secret."""
        if not isinstance(text, str):
            raise TypeError("a secret is a str")
        secret = super().__new__(cls, MASK)
        secret._text = text
        return secret

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(_bytes(self._text), _bytes(other._text))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: Any) -> "Secret":
        return self

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        return Secret, (MASK,)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a variable may hold any bytes
