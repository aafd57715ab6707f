"""Help by what one is doing: groups of verbs, and examples that can be typed as they are."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.support.tables import for_each
from wwspec_devtools.cli.verbs.zone import command as zone
from wwspec_router.cli.main import GROUPS, VERBS, main


def shown(*arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--help"], env={"COLUMNS": "80"}, prog_name="wwspec")
    assert done.exit_code == 0, done.output
    return done.stdout


def test_help_shows_each_verb_with_an_example_below_its_group() -> None:
    lines = shown().splitlines()
    for group in GROUPS:
        below = lines[lines.index(f"{group}:") + 1 :]
        own = "\n".join(below[: below.index("")] if "" in below else below)
        for verb, row in VERBS.items():
            assert (f"  {verb} " in own) == (f"$ {row.examples[0]}" in own) == (row.group == group)


def test_help_fits_a_terminal_of_80_columns() -> None:
    assert max(map(len, shown().splitlines())) <= 80


@for_each(VERBS)
def test_the_help_of_a_verb_begins_with_its_usage_and_ends_with_one_to_three_examples(verb: str) -> None:
    examples = VERBS[verb].examples
    usage, *below = shown(verb).splitlines()
    assert usage.startswith(f"Usage: wwspec {verb} [OPTIONS]")
    assert 1 <= len(examples) <= 3
    assert [line.strip() for line in below[-len(examples) :]] == [f"$ {each}" for each in examples]


def test_help_of_zone_has_each_command_in_a_group_with_its_whole_first_sentence() -> None:
    text = shown("zone")
    below = text[text.index("\nLook:\n") :]
    assert "..." not in below
    assert set(re.findall(r"^  ([a-z-]+)  +\S", below, re.MULTILINE)) == set(zone.commands)
    assert "the program gets the JSON object in FILE as the reply" in " ".join(below.split())


def test_arguments_are_in_the_usage_and_not_among_the_options() -> None:
    for verb, argument in (("call", "ABILITY"), ("fire", "[EVENT]"), ("task", "ID")):
        usage, *below = shown(verb).splitlines()
        assert argument in usage
        assert not [line for line in below if line.startswith(f"  {argument}")]


@for_each((verb, line) for verb, row in VERBS.items() for line in row.examples)
def test_an_example_is_a_command_line_of_its_verb(
    verb: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("console", "shop", "examples"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "production.toml").touch()
    monkeypatch.chdir(tmp_path)
    parsed: list[str] = []
    monkeypatch.setattr(click.Command, "invoke", lambda _, context: parsed.append(context.command_path))
    program, *arguments = shlex.split(line)
    done = CliRunner().invoke(main, arguments, prog_name=program)
    assert done.exit_code == 0, done.output
    assert parsed[-1].startswith(f"wwspec {verb}")
