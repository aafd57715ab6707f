"""Verbs below `wwspec zone` that are made from controls of the emulator: `control_rows` has what a control is."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args, get_origin

import click
from msgspec import Meta

from wwspec_router.cli.emulator_candidates import groups, people
from wwspec_router.cli.emulator_options import with_corp, with_emulator
from wwspec_router.cli.options import print_json
from wwspec_router.emulator.http.control_rows import ControlRow
from wwspec_router.emulator.state.authorisations import ORDERS, PERMISSIONS

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
    text, arguments = _texts(row)

    @(with_corp if row.of_corp else with_emulator)
    def run(emulator: Any, **given: Any) -> None:
        chosen = {name: value for name, value in given.items() if value not in (None, ())}
        answer = getattr(emulator, row.function.__name__)(**chosen)
        if row.answer:
            print_json({row.answer: answer})
        elif answer is not None:
            print_json(dict(_shown(answer)))

    added: Callable[..., Any] = run
    for each in reversed(row.parameters):
        added = _parameter(each, _written(row, each), arguments.get(each.name, ""))(added)
    return click.command(row.verb, help=text)(added)


def _written(row: ControlRow, parameter: inspect.Parameter) -> str:
    return row.names.get(parameter.name, parameter.name).replace("_", "-")


def _parameter(
    parameter: inspect.Parameter, name: str, text: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    default, annotation = parameter.default, parameter.annotation
    known = {"type": _type(annotation), **KNOWN.get(parameter.name, {})}
    if default is parameter.empty:
        return click.argument(parameter.name, **{"metavar": name.replace("-", "").upper(), **known})
    meaning, _, left_out = text.removesuffix(".").partition("; None for ")
    is_list = any(get_origin(each) is Sequence for each in (annotation, *get_args(annotation)))
    return click.option(
        f"--{name.removesuffix('s') if is_list else name}",
        parameter.name,
        default=default,
        show_default=bool(default),
        multiple=is_list,
        help=f"{meaning}{'; may be repeated' if is_list else ''}.{f'  [default: {left_out}]' if left_out else ''}",
        **known,
    )


def _type(annotation: Any) -> click.ParamType[Any]:
    for each in getattr(annotation, "__metadata__", ()):
        if isinstance(each, Meta):
            return click.IntRange(each.ge, each.le)  # type: ignore[arg-type]  # whole numbers
    return click.INT if annotation is int else click.STRING


def _texts(row: ControlRow) -> tuple[str, dict[str, str]]:
    """Return the help of a verb, and what its arguments are, from the docstring of its control."""
    docstring = re.sub(r" \[[\d, ]+\]", "", inspect.getdoc(row.function) or "")  # numbers of WeCom's documents
    begin, *sections = re.split(r"\n\n(Args|Returns|Raises):\n", docstring)
    named = dict(zip(sections[::2], sections[1::2], strict=True))
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", named.get("Args", ""), re.MULTILINE)
    arguments = {name: " ".join(text.split()) for name, text in found}
    head, *paragraphs = begin.split("\n\n")
    if "Returns" in named:
        head += f" Prints {_within(named['Returns'])}"
    required = [each for each in row.parameters if each.default is each.empty and each.name in arguments]
    if required:
        meanings = (
            f"{_written(row, each).replace('-', '').upper()} is {_within(arguments[each.name])}" for each in required
        )
        paragraphs.append(" ".join(meanings))
    return "\n\n".join([head, *paragraphs]), arguments


def _within(text: str) -> str:
    """Return a text as the end of a sentence."""
    text = " ".join(text.split())
    return text[0].lower() + text[1:]


def _shown(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is printed of an answer: an object in it as its fields."""
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from value.items()
        elif name not in ("errcode", "errmsg"):
            yield name, value
