"""`wwspec fire`: an event, as WeCom sends it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from wwspec_contracts.base import Contract
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError, did_you_mean
from wwspec_devtools.cli.call_target import is_wecom
from wwspec_devtools.cli.candidates import event_types
from wwspec_devtools.cli.emulator_options import connected_to, corp_option, url_option
from wwspec_devtools.cli.failure_report import print_event
from wwspec_devtools.cli.option_types import EXISTING_FILE
from wwspec_devtools.cli.wecom import base_url_option
from wwspec_router.cli.options import print_json

NOT_AT_WECOM = (
    "WeCom has no API that fires an event: it sends one when something happens, such as a message in an archived chat, "
    "to the program that `set_receive_callback` has chosen. Let it happen there, and see what comes with "
    "`wwspec app tail`; or let an emulator fire it: --url in place of --base-url or WWSPEC_BASE_URL"
)


@click.command()
@click.argument("event_type", metavar="[EVENT]", default="", shell_complete=event_types)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Set a field of the event; VALUE is JSON or text."
)
@click.option("--file", type=EXISTING_FILE, help="JSON: a whole event, which is sent as it is, or fields to set.")
@url_option
@corp_option
@base_url_option(hidden=True)
def command(
    event_type: str, overrides: tuple[str, ...], file: Path | None, url: str, of_corp: str, base_url: str
) -> None:
    """Let a running emulator send EVENT, such as conversation_new_message, to the program.

    An event comes with what it is about: conversation_new_message with a new message, hit_keyword with one that hits a
    keyword rule. Of the latter --set text= says what is written, and --set rule_id= which rule it hits; without a rule
    one is made.

    Prints the event, the program's reply, and the notifications that the app was sent for it by then, if any; on
    standard error the number of the event, since code on it runs after the reply.

    WeCom has no API for this: it sends events itself, so --base-url is refused.

    Exit code: 0 when the program took the event, 1 when it refused it or nobody answered, 2 for wrong usage.
    """
    if is_wecom(click.get_current_context()):
        raise click.UsageError(NOT_AT_WECOM)
    given = {} if file is None else _read(file)
    whole = "event_type" in given
    if whole and (overrides or event_type not in ("", given["event_type"])):
        raise click.UsageError(f"{file} is a whole event: it takes neither --set nor another EVENT")
    if not (whole or event_type):
        raise click.UsageError("name an EVENT, or give a whole one in --file")
    fields = {**given, **dict(map(_override, overrides))}
    if fields and not whole:
        _require_known(event_type, fields)
    with connected_to(url, of_corp) as emulator:
        if not emulator.info()["receives_events"]:
            emulator.receive_events()
        fired = emulator.fire_as_is(given) if whole else emulator.fire(event_type, fields)
        reply = _reply(fired["reply"])
        print_json({"event": fired["event"], "reply": reply, "notified": fired["notified"]})
        print_event(emulator, fired["number"])
    if not isinstance(reply, dict):
        raise click.ClickException("the program's reply is not a JSON object")
    from wwspec_devtools.testing.answer import read_reply  # here, since `--help` needs no extra

    read_reply(fired["event"]["event_type"], fired["reply"]).raise_for_error()


def _reply(text: str) -> Any:
    """Return the program's reply: its JSON, or the text as it is."""
    try:
        return decode_json(text)
    except JsonError:
        return text


def _read(file: Path) -> dict[str, Any]:
    try:
        return decode_json(file.read_bytes(), dict[str, Any])
    except JsonError as error:
        raise click.UsageError(f"{file} is not a JSON object: {error}") from None


def _require_known(event_type: str, fields: Mapping[str, Any]) -> None:
    """Refuse a field that the contract of the event does not list: it may be misspelled."""
    from msgspec.structs import fields as fields_of  # here, since few events are fired with fields

    from wwspec_devtools.emulator.events.types import OPTIONS
    from wwspec_router.registry.loader import Application

    contract = Application(Path()).event_contracts().get(event_type)
    if contract is None:  # the emulator says which events there are
        return
    own = [each.type for each in fields_of(contract.event) if isinstance(each.type, type)]
    known = [name.encode_name for each in own if issubclass(each, Contract) for name in fields_of(each)]
    known += ["timestamp", *OPTIONS.get(event_type, ())]
    for name in fields:
        if name not in known:
            meant = did_you_mean(name, known, f"known: {', '.join(known)}")
            raise click.UsageError(
                f"{event_type} has no field {name}; {meant}; a whole event in --file is sent as it is"
            )


def _override(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.UsageError(f'--set takes KEY=VALUE, not "{text}"')
    try:
        return key, decode_json(value)
    except JsonError:
        return key, value
