"""Text as it may be shown: what others made, and numbers of things."""

from unicodedata import category


def printable(text: str) -> str:
    """Return a text in which nothing ends the line, steers a terminal, turns its direction or can't be encoded."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def printable_json(text: str) -> str:
    """Return a JSON text of the same value in which nothing steers a terminal or turns its direction."""
    return text if text.isprintable() else "".join(map(_printable_in_json, text))


def _printable_in_json(character: str) -> str:
    if character.isprintable() or character == "\n" or category(character) == "Zs":  # such as an ideographic space
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def short(text: str, length: int = 12) -> str:
    """Return the beginning of an id, escaped, so that lines can be tied together without giving the id away."""
    start = text[:length].encode("unicode_escape").decode("ascii")
    return start if len(text) <= length else f"{start}…"


def error_text(error: BaseException, most: int = 2000) -> str:
    """Return the text of an error of anybody's class: its beginning if it is long, and never an error of its own."""
    try:
        text = str(error)
    except Exception as inner:  # its `__str__` raises
        return f"(its __str__ ends with {type(inner).__name__})"
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with the word for what is counted.

    Args:
        number: How many.
        one: The word for one, such as `core`.
        several: The word for any other number; with an `s` at its end when it is left out.
    """
    return f"{number} {one if number == 1 else several or f'{one}s'}"
