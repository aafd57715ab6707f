"""JSON texts for one type: such that fit it, written in any way JSON may be written, and changes of them.

Knows msgspec's description of types, and nothing of the compiled check.
"""

import json
import re
from itertools import chain
from random import Random
from typing import Any

from msgspec import inspect as mi

__all__ = ["Mutator", "Values", "written"]

_ALPHABETS = ("ab", "abcdefghij klmnopqrstuvwxyz0123456789", "数据é", "a😀", "text/{}[]:,'", "\x7f\x80\u2028\ufeff")
_ESCAPED = ('"', "\\", "\n", "\t", "\x00", "\x1f", "\ud800", "/", '\\"')
_LENGTHS = (15, 16, 17, 31, 32, 33, 64, 70)  # around the steps of 16 bytes in which the check may go
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|[a-z]+|\s+|.', re.DOTALL)
_LONGEST = 400_000  # characters of a text
_NUMBERS = (
    *("0", "-0", "00", "01", "-01", "1.0", "-1.5", "1e5", "1E-5", "1.", ".5", "-", "+1", "--1", "1-", "0x1", "1e400"),
    *("1" * 17, "1" * 18, "9" * 18, "-" + "9" * 18, "1" * 19, "9" * 19, "9" * 20, "1" * 400, "0" * 18, "1e", "NaN"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "1 2", "١"),
)
_STRINGS = (
    *('""', '"a"', '"\\n"', '"\\/"', '"\\""', '"\\\\"', '"\\', '"\\"', '"\\u0041"', '"\\ud83d\\ude00"', '"\\ud800"'),
    *('"\\u0000"', '"\\u12"', '"\\x41"', '"\\\'"', '"\\0"', '"\\ "', '"a\\', '"\x00"', '"\x1f"', '"\x7f"', '"\t"'),
    *('"\ud800"', '"数"', '"😀"', f'"{"x" * 14}\x1f"', f'"{"x" * 15}\\q"', f'"{"x" * 31}\\', f'"{"é" * 40}"', "'a'"),
)
_OTHERS = (
    *("true", "false", "null", "tru", "True", "falsey", "truefalse", "t", "f", "", "[]", "{}", "[[]]", "[null]", "[,]"),
    *("{,}", "[1,]", '{"a":1,}', '{"a"}', '{"a":}', "{1:2}", "//", "{", "}", "[", "]", ",", ":", '"', "\\", "]]", "x"),
)
_SPACE = (" ", "\n", "\t", "\r\n", " " * 40, "\x0b", "\x0c", "\x00", "\xa0", "\u2003", "\ufeff", "\x85", "\udc80")


class Values:
    """Makes values that fit a type, or nearly."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def of(self, info: mi.Type, depth: int = 0) -> Any:
        """Return a value for msgspec's description of a type; any value for one that no contract should have."""
        random = self._random
        while isinstance(info, mi.Metadata):
            info = info.type
        match info:
            case mi.StrType():
                return self._text(info.min_length or 0, info.max_length)
            case mi.IntType():
                return self._integer(info)
            case mi.BoolType():
                return random.random() < 0.5
            case mi.LiteralType():
                return random.choice(info.values)
            case mi.EnumType():
                return random.choice([each.value for each in info.cls])
            case mi.UnionType():
                return self.of(random.choice([each for each in info.types if not isinstance(each, mi.NoneType)]), depth)
            case mi.ListType() | mi.VarTupleType():
                return self._list(info, depth)
            case mi.StructType():
                return self._object(info, depth)
            case _:
                return random.choice((None, 1, "text", [], {}, {"a": 1}, 0.5, -2.25, 1e300))

    def _text(self, least: int, most: int | None) -> str:
        random = self._random
        alphabet = random.choice(_ALPHABETS)
        if (least or most is not None) and random.random() < 0.25:  # as long as a limit says, or one more or less
            length: int = random.choice((least - 1, least, *((least + 40,) if most is None else (most, most + 1))))
            letter: str = random.choice((*alphabet, *_ESCAPED))
            size = 1 if random.random() < 0.6 else len(letter.encode("utf-8", "surrogatepass"))
            return letter * (length // size) + "x" * (length % size)
        length = random.choice((least, least + 1, random.randrange(40), random.choice(_LENGTHS)))
        text = "".join(random.choices(alphabet, k=max(least, length if most is None else min(length, most))))
        if random.random() < 0.04 and text:
            at = random.randrange(len(text))
            text = text[:at] + random.choice(_ESCAPED) + text[at + 1 :]
        return text

    def _integer(self, info: mi.IntType) -> int:
        low = info.ge if info.ge is not None else -(10**18) if info.gt is None else info.gt + 1
        high = info.le if info.le is not None else 10**18 if info.lt is None else info.lt - 1
        near = (low, high, 0, 1, self._random.randrange(1000), 10**17, -(10**17), 10**18 - 1)
        return max(low, min(high, self._random.choice(near)))

    def _list(self, info: mi.ListType | mi.VarTupleType, depth: int) -> list[Any]:
        least = info.min_length or 0
        most = least + 3 if info.max_length is None else info.max_length
        count = self._random.randrange(least, min(most, least + (4 if depth < 6 else 1)) + 1)
        if self._random.random() < 0.05:  # too few, where the type asks for some, or many
            count = self._random.choice((0, 0, 0, 0, 50 if depth < 2 else 0))
        return [self.of(info.item_type, depth + 1) for _ in range(count)]

    def _object(self, info: mi.StructType, depth: int) -> dict[str, Any]:
        random = self._random
        share = random.choice((1.0, random.random()))
        fields = [each for each in info.fields if each.required or (random.random() < share and depth < 8)]
        if random.random() < 0.3:
            random.shuffle(fields)
        return {each.encode_name: self.of(each.type, depth + 1) for each in fields}


def written(value: Any, random: Random) -> str:
    """Return the JSON text of a value: compact, spaced or indented; ASCII or not."""
    style = random.random()
    if style < 0.5:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    indent = random.choice((1, 4, "\t")) if style < 0.6 else None
    return json.dumps(value, ensure_ascii=style > 0.9, indent=indent)


class Mutator:
    """Changes texts. Most changes are of tokens, so that much of a text still fits."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._tokens: tuple[str, list[str]] = ("", [])

    def changed(self, text: str) -> str:
        """Return the text after one to three changes."""
        random = self._random
        ways = (self._replace, self._space, self._copy_member, self._remove_member, self._rewrite, self._number)
        for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
            if self._tokens[0] != text:
                self._tokens = text, _TOKEN.findall(text)
            tokens = self._tokens[1].copy()
            if tokens and random.random() < 0.8:
                random.choice((*ways, self._nest))(tokens)
                text = "".join(tokens)
            else:
                text = self._cut_or_flipped(text)
        return text[:_LONGEST]

    def _cut_or_flipped(self, text: str) -> str:
        random = self._random
        at, draw = random.randrange(len(text) + 1), random.randrange(5)
        if draw == 0:
            return text[:at]
        if draw == 1 and text:
            data = bytearray(text.encode("utf-8", "surrogatepass"))
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            return data.decode("utf-8", "surrogateescape")
        if draw == 2:
            return text[:at] + text[at + random.randrange(-4, 4) :]
        return text[: random.choice((0, at, len(text)))] + random.choice(_OTHERS + _SPACE) + text[at * (draw % 2) :]

    def _at(self, tokens: list[str], first: str) -> int:
        """Return where a token is that begins with one of some characters; anywhere when there is none."""
        start = self._random.randrange(len(tokens))
        near = chain(range(start, min(len(tokens), start + 40)), range(max(0, start - 40), start))
        return next((index for index in near if tokens[index][0] in first), start)

    def _replace(self, tokens: list[str]) -> None:
        kind = self._random.choice((_NUMBERS, _STRINGS, _OTHERS, tokens))
        first = "-0123456789" if kind is _NUMBERS and self._random.random() < 0.5 else '"-0123456789tfn[{'
        tokens[self._at(tokens, first)] = self._random.choice(kind)

    def _space(self, tokens: list[str]) -> None:
        tokens.insert(self._random.randrange(len(tokens) + 1), self._random.choice(_SPACE))

    def _member(self, tokens: list[str]) -> tuple[int, int]:
        """Return where a member or an element begins and ends."""
        start = self._at(tokens, '"') if self._random.random() < 0.8 else self._random.randrange(len(tokens))
        depth = 0
        for index in range(start, len(tokens)):
            if depth == 0 and tokens[index] in (",", "]", "}") and index > start:
                return start, index
            depth += (tokens[index] in ("{", "[")) - (tokens[index] in ("}", "]"))
        return start, len(tokens)

    def _copy_member(self, tokens: list[str]) -> None:
        start, end = self._member(tokens)
        tokens[start:start] = [*tokens[start:end], ","]

    def _remove_member(self, tokens: list[str]) -> None:
        start, end = self._member(tokens)
        del tokens[start : end + (tokens[end : end + 1] == [","] and self._random.random() < 0.7)]

    def _rewrite(self, tokens: list[str]) -> None:
        """Write a character of a string in another way, put one in, or make the string longer."""
        random, index = self._random, self._at(tokens, '"')
        inner = tokens[index][1:-1]
        at = random.randrange(len(inner) + 1)
        code = f"\\u{min(ord(inner[at : at + 1] or 'a'), 0xFFFF):04x}"
        put = random.choice((code, "\\n", "\\/", '\\"', "\\\\", "\\q", "\\u00", "\x1f", "\x00", "x", "数", "😀"))
        put *= random.choice((1, 1, 1, 2, 15, 16, 17, 40, 70))
        tokens[index] = f'"{inner[:at]}{put}{inner[at + random.randrange(2) :]}"'

    def _number(self, tokens: list[str]) -> None:
        index = self._at(tokens, "-0123456789")
        text = tokens[index]
        if text.removeprefix("-").isdecimal() and len(text) < 30:
            value = int(text)
            near = (value + 1, value - 1, -value, f"{text}.0", f"{text}e0", f"0{text}", f"{text}0")
            tokens[index] = str(self._random.choice(near))

    def _nest(self, tokens: list[str]) -> None:
        depth, index = self._random.choice((1, 2, 10, 60, 62, 63, 64, 65, 70)), self._at(tokens, '"-0123456789tf[{')
        left, right = self._random.choice((("[", "]"), ('{"a":', "}")))
        tokens[index] = left * depth + tokens[index] + right * depth
