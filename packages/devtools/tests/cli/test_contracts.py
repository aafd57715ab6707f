"""`wwspec contracts` and `wwspec check`: what is printed is what the platform lets pass."""

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.support.apps import write_files
from wwspec_contracts.matching import matches


def test_each_side_of_each_ability_is_a_json_object_with_real_values(run: Run) -> None:
    contracts = json.loads(run("contracts").stdout)
    assert len(contracts) > 43
    for contract in contracts.values():
        assert isinstance(contract["input"], dict)
        assert all(matches(each, each) for each in (contract["input"], contract["output"]))
        assert matches(contract["output"], {"errcode": 710660, "errmsg": "an error reply"})
        assert "required" not in json.dumps(contract)


def test_what_was_written_does_not_differ_until_a_key_is_edited(run: Run, tmp_path: Path) -> None:
    assert run("contracts", "--out", str(tmp_path)).returncode == 0
    done = run("contracts", "--diff", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}: no difference in 97 abilities\n")
    file = tmp_path / "chat_digest.output.json"
    file.write_text(file.read_text().replace('"has_more"', '"hasmore"', 1))
    done = run("contracts", "--diff", str(tmp_path))
    assert done.returncode == 1
    refused = "chat_digest: output $.has_more: a reply that holds it is refused by the platform (790014): "
    assert f"{refused}this key is not in the contract" in done.stdout.splitlines()


def test_what_would_be_refused_comes_before_what_is_missing_which_is_grouped(run: Run, tmp_path: Path) -> None:
    run("contracts", "--out", str(tmp_path))
    for name in ("chat_digest", "get_callback_data", "invoke_create_rule"):
        (tmp_path / f"{name}.input.json").unlink()
    for name in ("chat_digest", "chat_history"):
        (tmp_path / f"{name}.output.json").unlink()
    last = tmp_path / "input_update_rule.input.json"
    last.write_text(last.read_text().replace('"func"', '"fun"', 1))
    for name in ("gone", "away"):
        (tmp_path / f"{name}.input.json").write_text("{}")
    done = run("contracts", "--diff", str(tmp_path))
    assert done.returncode == 1
    *differences, both, no_input, no_output, gone = done.stdout.splitlines()
    assert all(each.startswith("input_update_rule: input $.input.fun") for each in differences)
    assert both == "not registered (input and output): chat_digest"
    assert sorted(no_input.partition("not registered (input): ")[2].split(", ")) == [
        "get_callback_data",
        "invoke_create_rule",
    ]
    assert no_output == "not registered (output): chat_history"
    assert gone == "registered, but the program has no such ability: away, gone"


def test_check_says_where_the_console_takes_fewer_numbers_than_the_program(run: Run, tmp_path: Path) -> None:
    app = application(tmp_path, output='{"errcode": 0, "errmsg": "ok"}')
    (app / "schemas" / "echo.input.json").write_text('{"count": 1, "offers": [{"price": 0.5}]}')
    done = run("check", "--app", str(app))
    assert done.returncode == 0
    note, summary = done.stdout.splitlines()
    assert note == (
        f"{app}/abilities/registry.toml:1 [abilities.echo]: note: input $.offers[].price takes 1 as well as 1.0, but "
        "the console lets only 1.0 pass (790016): tell the apps that call it, or declare it as an int"
    )
    assert summary.endswith("no fault")
    as_json = run("check", "--json", "--app", str(app))
    assert (as_json.returncode, json.loads(as_json.stdout)) == (0, {"faults": [], "notes": [note]})


def test_json_schemas_are_for_other_tools_and_in_files_each_is_whole(run: Run, tmp_path: Path) -> None:
    named = ("--json-schema", "chat_digest", "python_demo")
    schemas = json.loads(run("contracts", *named).stdout)
    assert schemas["chat_digest"]["input"]["$defs"]["Request"]["properties"]["limit"]["maximum"] == 1000
    assert len(schemas["python_demo"]["input"]["anyOf"]) == 3
    assert run("contracts", *named, "--out", str(tmp_path)).stdout == f"{tmp_path}: 2 abilities\n"
    written = {each.name: json.loads(each.read_text("utf-8")) for each in tmp_path.iterdir()}
    assert written == {f"{name}.{side}.json": schemas[name][side] for name in schemas for side in schemas[name]}


def test_check_reports_an_ability_whose_error_reply_would_be_refused(run: Run, tmp_path: Path) -> None:
    app = application(tmp_path, output='{"said": "hello"}')
    done = run("check", "--app", str(app))
    assert done.returncode == 1
    assert "registry.toml:1 [abilities.echo]: an error reply does not fit the output contract of echo" in done.stderr
    as_json = run("check", "--json", "--app", str(app))
    faults = [line.removeprefix("Error: ") for line in done.stderr.splitlines()]
    assert (as_json.returncode, json.loads(as_json.stdout)) == (1, {"faults": faults, "notes": []})


def test_contracts_of_files_are_shown_as_they_are(run: Run, tmp_path: Path) -> None:
    output = '{"errcode": 0, "errmsg": "ok", "said": "hello", "scores": [{"of day": 1.5}], "none": []}'
    app = application(tmp_path, output=output)
    assert run("check", "--app", str(app)).returncode == 0
    shown = json.loads(run("contracts", "--app", str(app)).stdout)["echo"]
    assert shown == {"input": {"say": "hello"}, "output": json.loads(output)}


ECHO = """
from typing import Any

from wwspec_router import ability

@ability
def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {"said": request["say"]}
"""


def application(tmp_path: Path, output: str) -> Path:
    """An application with one handler of plain dicts."""
    return write_files(
        tmp_path / "app",
        {
            "abilities/registry.toml": '[abilities.echo]\nhandler = "abilities.echo:echo"\n'
            'input = "schemas/echo.input.json"\noutput = "schemas/echo.output.json"\n',
            "abilities/echo.py": ECHO,
            "schemas/echo.input.json": '{"say": "hello"}',
            "schemas/echo.output.json": output,
        },
    )
