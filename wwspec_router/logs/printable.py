"""Text that others made, as it may be shown."""


def printable(text: str) -> str:
    """Return a text in which nothing ends the line, steers a terminal, turns its direction or can't be encoded."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
