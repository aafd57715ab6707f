"""Verbs below `wwspec zone` that are made from controls of the emulator: `control_rows` has what a control is."""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

import click

from wwspec_devtools.cli.emulator_candidates import groups, people
from wwspec_devtools.cli.emulator_options import with_corp, with_emulator
from wwspec_devtools.emulator.http.control_rows import ControlRow
from wwspec_devtools.emulator.state.authorisations import ORDERS, PERMISSIONS
from wwspec_router.cli.options import print_json

KNOWN: dict[str, dict[str, Any]] = {
    "sender": {"shell_complete": people},
    "to": {"shell_complete": people, "metavar": "ID"},
    "group": {"shell_complete": groups, "metavar": "CHATID"},
    "permissions": {"type": click.Choice(PERMISSIONS)},
    "info_type": {"type": click.Choice(ORDERS)},
}
"""What the command line knows of arguments besides their type, by name."""


def control_verb(row: ControlRow) -> click.Command:
    """Return the verb of a control. Arguments without a default are arguments, all others options."""
    docstring = re.sub(r" \[[\d, ]+\]", "", inspect.getdoc(row.function) or "")  # numbers of WeCom's documents
    begin, *others = re.split(r"\n\n(Args|Returns|Raises):\n", docstring)
    sections = dict(zip(others[::2], others[1::2], strict=True))
    texts = dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", sections.get("Args", ""), re.MULTILINE))
    params = [_parameter(each, row, texts.get(each.name, "")) for each in row.parameters]
    does, *paragraphs = begin.split("\n\n")
    does += f" Prints {_within(sections['Returns'])}" if "Returns" in sections else ""
    required = [each for each in params if each.required and each.name in texts]
    paragraphs.append(" ".join(f"{each.metavar} is {_within(texts[str(each.name)])}" for each in required))

    @(with_corp if row.of_corp else with_emulator)
    def run(emulator: Any, **given: Any) -> None:
        chosen = {name: value for name, value in given.items() if value not in (None, ())}
        answer = getattr(emulator, row.function.__name__)(**chosen)
        if answer is not None:
            print_json({row.answer: answer} if row.answer else dict(_shown(answer)))

    return click.command(row.verb, params=params, help="\n\n".join([does, *filter(None, paragraphs)]))(run)


def _parameter(parameter: inspect.Parameter, row: ControlRow, text: str) -> click.Parameter:
    name, default, annotation = row.names.get(parameter.name, parameter.name), parameter.default, parameter.annotation
    limits = getattr(annotation, "__metadata__", ())
    known = {"type": click.IntRange(limits[0].ge, limits[0].le) if limits else None, **KNOWN.get(parameter.name, {})}
    if default is parameter.empty:
        return click.Argument([parameter.name], metavar=name.replace("_", "").upper(), **known)
    meaning, _, left_out = " ".join(text.split()).removesuffix(".").partition("; None for ")
    is_list = any(get_origin(each) is Sequence for each in (annotation, *get_args(annotation)))
    return click.Option(
        [f"--{name.removesuffix('s') if is_list else name}".replace("_", "-"), parameter.name],
        default=default,
        show_default=bool(default),
        multiple=is_list,
        help=f"{meaning}{'; may be repeated' if is_list else ''}.{f'  [default: {left_out}]' if left_out else ''}",
        **known,
    )


def _within(text: str) -> str:
    """Return a text as the end of a sentence."""
    return text.strip()[0].lower() + " ".join(text.split())[1:]


def _shown(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is printed of an answer: an object in it as its fields."""
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from value.items()
        elif name not in ("errcode", "errmsg"):
            yield name, value
