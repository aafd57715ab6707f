"""Reads TOML files that people write by hand; each fault is one line that names the file, its line and the fix."""

import codecs
import re
import tomllib
from pathlib import Path
from typing import Any

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.input_files import read_file

_TABLE = re.compile(r"\s*\[\s*([\w-]+)\s*\]")
_KEY = re.compile(r"""\s*(?:["']?([\w-]+)["']?\s*\.\s*)?["']?([\w-]+)["']?\s*=""")

_MOST_PARTS = 32
"""Parts of a dotted key: tomllib takes a time that grows with the square of their number."""
_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_AT_LINE = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")
_TWICE = r"Cannot declare \((?P<keys>.*)\) twice"
_AT_END = " (at end of document)"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_toml(path: Path, if_missing: str = "") -> tuple[str, dict[str, Any]]:
    """Read a TOML file.

    Args:
        path: The file.
        if_missing: What to do when there is no such file, such as `name it with --registry`.

    Returns:
        Its text, and the tables in it.

    Raises:
        ConfigurationError: There is no such file, it can't be read, or it is not TOML in UTF-8.
    """
    return parse_toml(path, read_file(path, if_missing, "TOML file"))


def key_lines(text: str) -> dict[tuple[str, str], int]:
    """Return the line of each table, under an empty key, and of each key, of a file without tables in tables."""
    found: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _TABLE.match(line):
            table = header[1]
            found.setdefault((table, ""), number)
        elif key := _KEY.match(line):
            inside = table or key[1] or ""
            found.setdefault((inside, key[2]) if inside else (key[2], ""), number)
    return found


def parse_toml(path: Path, content: bytes) -> tuple[str, dict[str, Any]]:
    """Return the text of a TOML file and the tables in it.

    Args:
        path: Where the content is from, for errors.
        content: Of the file.

    Raises:
        ConfigurationError: It is not TOML in UTF-8.
    """
    text = _text(path, content)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") >= _MOST_PARTS and re.search(rf"(?<![\w-])(?:{_PART}){{{_MOST_PARTS}}}", line):
            raise ConfigurationError(
                f"{path}:{number}: not valid TOML: nested too deeply: a key has more than {_MOST_PARTS} parts"
            )
    try:
        return text, tomllib.loads(text)
    except RecursionError:
        raise ConfigurationError(f"{path}: not valid TOML: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, and what int() says of thousands of digits
        raise ConfigurationError(_syntax_fault(path, text, str(error))) from None


def _text(path: Path, content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        raise ConfigurationError(
            f"{path}:1: begins with a byte order mark (BOM), which TOML does not allow: save it as UTF-8 without BOM"
        )
    if content.startswith(_UTF16):
        raise ConfigurationError(f"{path}:1: is text in UTF-16: save it as UTF-8 without BOM")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: is not text in UTF-8: save it as UTF-8 without BOM") from None


def _syntax_fault(path: Path, text: str, reason: str) -> str:
    """Return one line about what tomllib says; it names tables as Python shows tuples."""
    if twice := re.match(_TWICE, reason):
        table = ".".join(re.findall(r"'([^']*)'", twice["keys"]))
        reason = f"[{table}] is there twice: keep one of the two{reason[twice.end() :]}"
    if reason.endswith(_AT_END):
        line = text.rstrip("\n").count("\n") + 1
        return f"{path}:{line}: not valid TOML: {reason.removesuffix(_AT_END)} (the file ends here)"
    if found := _AT_LINE.search(reason):
        return f"{path}:{found['line']}: not valid TOML: {reason[: found.start()]} (column {found['column']})"
    return f"{path}: not valid TOML: {reason}"
