"""Finds the word that was meant."""

from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return `did you mean X?` for a word that is not known.

    Args:
        word: What was written.
        known: The words that are right.
        otherwise: What to say when none of them is close.
    """
    import difflib  # when it is needed: to import it takes as long as to read a registry file

    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise
