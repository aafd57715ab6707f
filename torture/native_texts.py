"""JSON texts for one type: such that fit it, written in any way JSON may be written, and changes of them.

Knows msgspec's description of types, and nothing of the compiled check.
"""

import json
import re
from collections.abc import Callable
from itertools import chain
from random import Random
from typing import Any

from msgspec import inspect as mi

__all__ = ["Mutator", "Values", "is_plain", "written"]

_ALPHABETS = ("ab", "abcdefghij klmnopqrstuvwxyz0123456789", "数据é", "a😀", "text/{}[]:,'", "\x7f\x80\u2028\ufeff")
_ESCAPED = ('"', "\\", "\n", "\t", "\x00", "\x1f", "\ud800", "/", '\\"')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|[a-z]+|\s+|.', re.DOTALL)
_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_LENGTHS = (15, 16, 17, 31, 32, 33, 64, 70)
"""Around the steps of 16 bytes in which the check may go."""
_LONGEST = 400_000
"""Characters of a text, at most."""


class Values:
    """Makes values that fit a type, or nearly.

    Args:
        random: Makes the choices.
    """

    def __init__(self, random: Random) -> None:
        self._random = random

    def of(self, info: mi.Type, depth: int = 0) -> Any:
        """Return a value for msgspec's description of a type."""
        random = self._random
        while isinstance(info, mi.Metadata):
            info = info.type
        match info:
            case mi.StrType():
                return self._text(info.min_length or 0, info.max_length)
            case mi.IntType():
                return self._integer(info)
            case mi.UnionType():
                return self.of(random.choice([each for each in info.types if not isinstance(each, mi.NoneType)]), depth)
            case mi.ListType() | mi.VarTupleType() | mi.SetType() | mi.FrozenSetType():
                return self._list(info, depth)
            case mi.TupleType():
                return [self.of(each, depth + 1) for each in info.item_types]
            case mi.StructType() | mi.DataclassType() | mi.TypedDictType() | mi.NamedTupleType():
                return self._object(info, depth)
            case _:
                return self._scalar(info)

    def _scalar(self, info: mi.Type) -> Any:
        random = self._random
        match info:
            case mi.BoolType():
                return random.random() < 0.5
            case mi.FloatType():
                return random.choice((0.5, 1, -2.25, 1e300, 0.0))
            case mi.LiteralType():
                return random.choice(info.values)
            case mi.EnumType():
                return random.choice([each.value for each in info.cls])
            case _:
                return random.choice((None, 1, "text", [], {}, {"a": 1}, "2026-01-01T00:00:00Z", 1.5))

    def _text(self, least: int, most: int | None) -> str:
        random = self._random
        alphabet = random.choice(_ALPHABETS)
        if (least or most is not None) and random.random() < 0.25:
            return self._at_limit(alphabet, least, least + 40 if most is None else most)
        length = random.choice((least, least + 1, random.randrange(40), random.choice(_LENGTHS)))
        text = "".join(random.choices(alphabet, k=max(least, length if most is None else min(length, most))))
        if random.random() < 0.04 and text:
            at = random.randrange(len(text))
            text = text[:at] + random.choice(_ESCAPED) + text[at + 1 :]
        return text

    def _at_limit(self, alphabet: str, least: int, most: int) -> str:
        """Return a text whose characters or bytes are as many as a limit says, or one more or less."""
        random = self._random
        length: int = random.choice((least - 1, least, most, most + 1))
        letter: str = random.choice((*alphabet, *_ESCAPED))
        if random.random() < 0.6:
            return letter * length
        size = len(letter.encode("utf-8", "surrogatepass"))
        return letter * (length // size) + "x" * (length % size)

    def _integer(self, info: mi.IntType) -> int:
        random = self._random
        low = info.ge if info.ge is not None else -(10**18) if info.gt is None else info.gt + 1
        high = info.le if info.le is not None else 10**18 if info.lt is None else info.lt - 1
        if low > high:
            return low
        near = [low, high, 0, 1, random.randrange(1000), 10**17, -(10**17), 10**18 - 1]
        value = random.choice(near) if random.random() < 0.7 else random.randrange(low, high + 1)
        return min(high, max(low, value))

    def _list(self, info: mi.ListType | mi.VarTupleType | mi.SetType | mi.FrozenSetType, depth: int) -> list[Any]:
        random = self._random
        least = info.min_length or 0
        most = least + 3 if info.max_length is None else info.max_length
        count = random.randrange(least, min(most, least + (4 if depth < 6 else 1)) + 1)
        if random.random() < 0.01 and depth < 2 and info.max_length is None:
            count = random.choice((50, 300))
        return [self.of(info.item_type, depth + 1) for _ in range(count)]

    def _object(self, info: Any, depth: int) -> Any:
        random = self._random
        all_of_them, share = random.random() < 0.3, random.random()
        values = {}
        for field in info.fields:
            if field.required or all_of_them or (random.random() < share and depth < 8):
                values[getattr(field, "encode_name", getattr(field, "name", ""))] = self.of(field.type, depth + 1)
        if getattr(info, "array_like", False) or isinstance(info, mi.NamedTupleType):
            return list(values.values())
        if getattr(info, "tag", None) is not None and random.random() < 0.8:
            values[info.tag_field] = info.tag
        if random.random() < 0.3:
            names = list(values)
            random.shuffle(names)
            values = {name: values[name] for name in names}
        return values


def written(value: Any, random: Random) -> str:
    """Return the JSON text of a value: compact, spaced or indented; ASCII or not."""
    style = random.random()
    if style < 0.5:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if style < 0.8:
        return json.dumps(value, ensure_ascii=False)
    if style < 0.9:
        return json.dumps(value, ensure_ascii=False, indent=random.choice((1, 4, "\t")))
    return json.dumps(value)


def is_plain(text: str) -> bool:
    """Tell whether a text has nothing that the compiled check may leave to msgspec, if it fits."""
    if "\\" in text or not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        return False
    for piece in _TOKEN.findall(text):
        if piece == "null" or (piece[0] in "-+.0123456789" and not _PLAIN_INTEGER.fullmatch(piece)):
            return False
    return True


_NEWLINE = "\\n"
_NUMBERS = (
    *(
        "0",
        "-0",
        "00",
        "01",
        "-01",
        "1.0",
        "0.5",
        "-1.5",
        "1e5",
        "1E5",
        "1e-5",
        "1.",
        ".5",
        "-",
        "+1",
        "--1",
        "1-",
        "0x1",
    ),
    *("1" * 17, "1" * 18, "9" * 18, "-" + "9" * 18, "1" * 19, "9" * 19, "9" * 20, "1" * 400, "0" * 18, "1e", "1e400"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"),
    *(
        "18446744073709551615",
        "18446744073709551616",
        "1000000000000000000",
        "999999999999999999",
        "100000000000000001",
    ),
    *("NaN", "Infinity", "-Infinity", "1_000", "1 2", "١"),
)
_STRINGS = (
    *('""', '"a"', '"\\n"', '"\\/"', '"\\""', '"\\\\"', '"\\', '"\\"', '"\\u0041"', '"\\ud83d\\ude00"', '"\\ud800"'),
    *('"\\udc00\\ud800"', '"\\u0000"', '"\\u12"', '"\\u"', '"\\x41"', '"\\\'"', '"\\0"', '"\\U0041"', '"\\ "', '"a\\'),
    *('"\x00"', '"\x01"', '"\x1f"', '"\x7f"', '"\t"', '"\n"', '"\ud800"', '"\udcff"', '"数"', '"😀"', '"\u2028"'),
    *(f'"{"x" * 14}\x1f"', f'"{"x" * 15}\\q"', f'"{"x" * 16}', f'"{"x" * 31}\\', f'"{_NEWLINE * 20}"', f'"{"é" * 40}"'),
    *("'a'", '"', '"a', 'a"', f'"{"数" * 50}"', f'"{"x" * 300}"'),
)
_OTHERS = (
    *("true", "false", "null", "tru", "True", "TRUE", "falsey", "truefalse", "nul", "t", "f", "", "[]", "{}", "[[]]"),
    *("[null]", "[{}]", "[,]", "{,}", "[1,]", '{"a":1,}', '{"a"}', '{"a":}', "{1:2}", "undefined", "//", "/**/"),
)
_NOISE = (
    *(" ", "\t", "\n", "\r", "  \r\n\t ", "\x0b", "\x0c", "\x00", "\xa0", "\u2028", "\ufeff", "\x1f", "\x7f", "\udc80"),
    *("{", "}", "[", "]", ",", ":", '"', "\\", ",,", "::", "]]", "}}", "/", "#", "a", "0", "-", "数", "😀"),
)
_SPACE = (" ", "\n", "\t", "\r", "\r\n", "    ", " " * 40, "\x0b", "\x0c", "\x00", "\xa0", "\u2003", "\ufeff", "\x85")
_BEFORE_AND_AFTER = (
    "",
    " ",
    "\n",
    "\ufeff",
    "\x00",
    "x",
    ",",
    "}",
    "]",
    "null",
    "{}",
    "\x00\x00",
    "\t\r\n ",
    "\x1a",
    '"',
)


class Mutator:
    """Changes texts. Most changes are of tokens, so that much of a text still fits.

    Args:
        random: Makes the choices.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._tokens: tuple[str, list[str]] = ("", [])
        self._of_tokens: tuple[Callable[[list[str]], None], ...] = (
            self._replace,
            self._replace,
            self._space,
            self._space,
            self._copy_member,
            self._copy_member,
            self._remove_member,
            self._empty,
            self._swap,
            self._escape,
            self._escape,
            self._edge_of_number,
            self._lengthen,
            self._nest,
        )

    def changed(self, text: str) -> str:
        """Return the text after one to three changes."""
        random = self._random
        for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
            if random.random() < 0.8:
                if self._tokens[0] != text:
                    self._tokens = text, _TOKEN.findall(text)
                tokens = self._tokens[1].copy()
                if tokens:
                    random.choice(self._of_tokens)(tokens)
                text = "".join(tokens)
            else:
                text = self._cut_or_flipped(text)
        return text[:_LONGEST]

    def _cut_or_flipped(self, text: str) -> str:
        random = self._random
        at, draw = random.randrange(len(text) + 1), random.randrange(8)
        match draw:
            case 0:
                return text[:at]
            case 1 | 2:
                data = bytearray(text.encode("utf-8", "surrogatepass"))
                if data:
                    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
                return data.decode("utf-8", "surrogateescape")
            case 3:
                return random.choice(_BEFORE_AND_AFTER) + text + random.choice(_BEFORE_AND_AFTER)
            case 4:
                return text[:at] + random.choice(_NOISE) + text[at:]
            case 5:
                return text[:at] + text[at + random.randrange(4) :]
            case 6:
                return text[:at] + text[max(0, at - random.randrange(30)) :]
            case _:
                return text[:at] + random.choice(_NUMBERS + _STRINGS + _OTHERS) + text[at:]

    def _at(self, tokens: list[str], first: str) -> int:
        """Return where a token is that begins with one of some characters; anywhere when there is none."""
        start = self._random.randrange(len(tokens))
        for index in chain(range(start, min(len(tokens), start + 40)), range(max(0, start - 40), start)):
            if tokens[index][0] in first:
                return index
        return start

    def _replace(self, tokens: list[str]) -> None:
        random = self._random
        index = self._at(tokens, '"-0123456789tfn[{')
        match random.randrange(5):
            case 0:
                tokens[index] = random.choice(_NUMBERS)
            case 1:
                tokens[index] = random.choice(_STRINGS)
            case 2:
                tokens[index] = random.choice(_OTHERS)
            case 3:
                tokens[index] = random.choice(tokens)
            case _:
                tokens[self._at(tokens, "-0123456789")] = random.choice(_NUMBERS)

    def _space(self, tokens: list[str]) -> None:
        for _ in range(self._random.randrange(1, 4)):
            tokens.insert(self._random.randrange(len(tokens) + 1), self._random.choice(_SPACE))

    def _member(self, tokens: list[str]) -> tuple[int, int]:
        """Return where a member or an element begins and ends."""
        start = self._at(tokens, '"') if self._random.random() < 0.8 else self._random.randrange(len(tokens))
        depth = 0
        for index in range(start, len(tokens)):
            token = tokens[index]
            if depth == 0 and token in (",", "]", "}") and index > start:
                return start, index
            depth += token in ("{", "[")
            depth -= token in ("}", "]")
        return start, len(tokens)

    def _copy_member(self, tokens: list[str]) -> None:
        start, end = self._member(tokens)
        member = tokens[start:end]
        where = start if self._random.random() < 0.5 else self._at(tokens, '"')
        tokens[where:where] = [*member, ","]

    def _remove_member(self, tokens: list[str]) -> None:
        start, end = self._member(tokens)
        with_comma = end + 1 if end < len(tokens) and tokens[end] == "," and self._random.random() < 0.7 else end
        del tokens[start:with_comma]

    def _empty(self, tokens: list[str]) -> None:
        """Remove all that an array or an object has."""
        start = self._at(tokens, "[{")
        depth = 0
        for index in range(start, len(tokens)):
            depth += (tokens[index] in ("{", "[")) - (tokens[index] in ("}", "]"))
            if depth == 0:
                del tokens[start + 1 : index]
                return

    def _swap(self, tokens: list[str]) -> None:
        one, other = (self._at(tokens, '"-0123456789tf') for _ in range(2))
        tokens[one], tokens[other] = tokens[other], tokens[one]

    def _escape(self, tokens: list[str]) -> None:
        """Write a character of a string in another way, or put one in."""
        random = self._random
        index = self._at(tokens, '"')
        inner = tokens[index][1:-1]
        at = random.randrange(len(inner) + 1)
        letter = inner[at : at + 1] or "a"
        put = random.choice(
            (f"\\u{min(ord(letter), 0xFFFF):04x}", "\\n", "\\/", '\\"', "\\\\", "\\q", "\\u00", "\x1f", "\x00")
        )
        keep = inner[at:] if random.random() < 0.5 else inner[at + 1 :]
        tokens[index] = f'"{inner[:at]}{put}{keep}"'

    def _edge_of_number(self, tokens: list[str]) -> None:
        index = self._at(tokens, "-0123456789")
        number = tokens[index]
        if number.removeprefix("-").isdecimal() and len(number) < 30:
            made = (
                int(number) + 1,
                int(number) - 1,
                -int(number),
                f"{number}.0",
                f"{number}e0",
                f"0{number}",
                f"{number}0",
            )
            tokens[index] = str(self._random.choice(made))

    def _lengthen(self, tokens: list[str]) -> None:
        index = self._at(tokens, '"')
        inner, count = tokens[index][1:-1], self._random.choice((1, 2, 15, 16, 17, 40, 70))
        letter = self._random.choice(("x", "数", "😀", "\\n", "é"))
        tokens[index] = f'"{inner[:-1] if count == 1 else inner}{letter * count}"'

    def _nest(self, tokens: list[str]) -> None:
        depth = self._random.choice((1, 2, 10, 60, 62, 63, 64, 65, 70))
        index = self._at(tokens, '"-0123456789tf[{')
        left, right = ("[", "]") if self._random.random() < 0.7 else ('{"a":', "}")
        tokens[index] = left * depth + tokens[index] + right * depth
