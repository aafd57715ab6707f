"""What `wwspec dev` and `wwspec demo` print for a person: where everything is, and lines to paste."""

import shlex
from collections.abc import Mapping
from typing import Any

import click
import msgspec

from wwspec_contracts.files import DescribedContract
from wwspec_devtools.cli.tables import styled
from wwspec_devtools.emulator.http.client import DEFAULT_URL, EmulatorClient
from wwspec_devtools.emulator.settings import OF_PROVIDERS

OWN_TARGETS = ("handler ", "input.func")
"""How the targets of abilities begin that are code of the application; see `describe_target`."""
IDS = {"chatid": "groups", "userid": "employees", "external_userid": "customers"}
"""Maps the name of a key to that of the emulator's list of its values."""
WIDTH = 9


def print_places(client: EmulatorClient, program_url: str, what: str) -> None:
    """Print where program and emulator are, and as whom an app calls.

    Args:
        client: Of the emulator.
        program_url: Of the program.
        what: What the program is, in a few words.
    """
    info = client.info()
    row("program", f"{_url(program_url)}   {what}")
    row("emulator", f"{_url(client.url)}   who is who: /emulator/info, requests and responses: /emulator/traffic")
    row("console", f"{_url(f'{client.url}/')}   the whole exchange, in the browser")
    secret = f"secret {info['secret']}" if info["secret"] else f"suite_id {info['suite_id']}"
    row("app", f"corpid {info['corpid']}   {secret}")
    row("", f"program_id {info['program_id']}   agentid {info['agentid']}")
    if info["app_type"] in OF_PROVIDERS:
        row("key", "set the app's public key first: wwspec keys new (wwspec keys rotate once there is one)")
        row("", "until then WeCom gives it no message")
    if info["callback_url"]:
        row("callback", _url(info["callback_url"]))
    row("events", " ".join(info["events"]))


def row(name: str, text: str) -> None:
    """Print one line with its name."""
    click.echo(f"{styled(f'{name:<{WIDTH}}', bold=True)} {text}")


def print_call_lines(client: EmulatorClient, ability_id: str, data: str) -> None:
    """Print lines for another terminal that call an ability and fire an event.

    Args:
        client: Of the emulator.
        ability_id: Which ability.
        data: The request's JSON text.
    """
    from wwspec_devtools.testing.app import App  # here, since `--help` needs no extra

    info = client.info()
    url = "" if client.url == DEFAULT_URL else f" --url {client.url}"
    body = msgspec.json.encode(
        {"program_id": info["program_id"], "ability_id": ability_id, "request_data": data}
    ).decode()
    path = f"/cgi-bin/chatdata/sync_call_program?access_token={App(client).client.access_token()}"
    lines = (
        f"wwspec call{url} {shlex.quote(ability_id)} {shlex.quote(data)}",
        f"wwspec fire{url} conversation_new_message",
        f"wwspec zone traffic{url}",
        f"curl -d {shlex.quote(body)} {shlex.quote(client.url + path)}",
    )
    click.echo("\n".join(["In another terminal:\n", *(f"  {line}" for line in lines), ""]))


def sample_call(contracts: Mapping[str, DescribedContract], info: Mapping[str, Any]) -> tuple[str, str]:
    """Return an ability and a request to try first: one that is code of the application, if there is any.

    The request has what the contract requires, and the numbers and booleans of the example: its optional texts are not
    ids that exist.

    Args:
        contracts: The contracts of the program, by ability ID.
        info: What the emulator says of itself: its people and groups have the ids that a contract requires.
    """
    own = [name for name, each in contracts.items() if each.target.startswith(OWN_TARGETS)]
    name = next(iter(own), next(iter(contracts)))
    example: Any = contracts[name].input
    schema = contracts[name].schemas["input"]
    type_ = schema.get("anyOf", [schema])[0].get("$ref", "").rpartition("/")[2]  # of several, the first
    required = schema.get("$defs", {}).get(type_, {}).get("required", ())
    request = {
        key: next(iter(info[IDS[key]]), value) if key in IDS else value
        for key, value in (example if isinstance(example, dict) else {}).items()
        if key in required or isinstance(value, bool | int | float)
    }
    return name, msgspec.json.encode(request).decode()


def _url(url: str) -> str:
    return styled(url, fg="cyan", underline=True)
