"""`wwspec keys`: the app's private keys, which open the secret keys of messages."""

from contextlib import nullcontext
from enum import Enum, auto
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.cli.call_target import Place, caller_options
from wwspec_devtools.cli.command_group import CommandGroup
from wwspec_devtools.cli.key_options import key_options
from wwspec_devtools.cli.sealing import SYNC_MSG, prefix_option, pull_messages
from wwspec_devtools.cli.wecom import WeComCommand
from wwspec_router.cli.options import FunctionT, print_json

if TYPE_CHECKING:
    from wwspec_client import ZoneClient
    from wwspec_client.key_folder import KeyFile, KeyFolder


CONSOLE_CODES = (48001, 48002, 710640)
"""WeCom refuses `set_public_key` to this app: the key of a corp's own app is set in the admin console [99845]."""
VERSION_CODE = 40212


class _How(Enum):
    """How WeCom gets the public key."""

    REGISTER = auto()
    BY_HAND = auto()
    DONE = auto()


@click.group(cls=CommandGroup)
def command() -> None:
    """Make, rotate and list the private keys of an enterprise app, which open the secret keys of messages.

    They go to WeCom with --base-url or WWSPEC_BASE_URL, as calls do; without it to the emulator at --url.

    Each version is a file, key-1.pem and so on, that only its owner can read. No command prints a private key.
    """


def _making(function: FunctionT) -> FunctionT:
    """Add the options of a command that makes a key."""

    @wraps(function)
    def chosen(*arguments: Any, by_hand: bool, done: bool, **options: Any) -> Any:
        if by_hand and done:
            raise click.UsageError("give one of --no-register and --registered")
        how = _How.BY_HAND if by_hand else _How.DONE if done else _How.REGISTER
        return function(*arguments, how=how, **options)

    version = click.option(
        "--version",
        type=click.IntRange(1, 999_999_999),
        help="Version of the key; above all that WeCom has had.  [default: the next one of the folder]",
    )
    by_hand = click.option(
        "--no-register",
        "by_hand",
        is_flag=True,
        help="Only make the key, and print the public one: for the admin console, or to give the app the key first.",
    )
    done = click.option(
        "--registered", "done", is_flag=True, help="The admin console has the public key: note that, and send nothing."
    )
    return version(by_hand(done(cast(FunctionT, chosen))))


@command.command(cls=WeComCommand)
@_making
@key_options(confirm=True)
@caller_options
def new(place: Place, keys: Path, passphrase: str | None, version: int | None, how: _How) -> None:
    """Make the app's first key, RSA-2048 in PKCS#8, and register the public one with WeCom.

    The private key is on the disk before WeCom gets the public one. When something fails on the way, a repeat goes on
    with the same key.

    A corp's own app has its key set in the admin console: --no-register prints it, and --registered notes that it is
    done.
    """
    folder = _folder(keys)
    latest = folder.latest
    if latest is not None and latest.is_registered:
        raise click.ClickException(
            f"{keys} has version {latest.version}, which is registered: `wwspec keys rotate` makes the next one"
        )
    _make("new", folder, place, passphrase, version, how)


@command.command(cls=WeComCommand)
@_making
@key_options(confirm=True)
@caller_options
def rotate(place: Place, keys: Path, passphrase: str | None, version: int | None, how: _How) -> None:
    """Make the key of the next version, and register the public one with WeCom.

    The former keys stay: nothing else opens the messages that were sealed before.

    To give the app the new key before WeCom uses it: `wwspec keys rotate --no-register`, let the app load the folder,
    then `wwspec keys rotate`.
    """
    folder = _folder(keys)
    if folder.latest is None:
        raise click.ClickException(f"{keys} has no key to rotate: `wwspec keys new` makes the first one")
    _make("rotate", folder, place, passphrase, version, how)


def _folder(keys: Path) -> "KeyFolder":
    from wwspec_client.key_folder import KeyFolder  # it needs the extra

    return KeyFolder(keys)


def _make(verb: str, folder: "KeyFolder", place: Place, passphrase: str | None, version: int | None, how: _How) -> None:
    """Make a key, or take the one that is not registered yet."""
    with place.client("set_public_key", program=False) if how is _How.REGISTER else nullcontext() as client:
        file, is_new = _file(folder, passphrase, version, how)
        ring = file.ring(passphrase)
        kept = "made" if is_new else "found, not registered yet"
        _print(f"{file.path}: {kept}; version {file.version}, {ring.fingerprint()}", how)
        if client is not None:
            _register(client, verb, file, ring.public_key())
        if how is _How.BY_HAND:
            _print(f"set this public key as version {file.version}, then: wwspec keys {verb} --registered", how)
            click.echo(ring.public_key())
            return
        file.set_registered()
        _print(_todo(folder, file), how)


def _print(text: str, how: _How) -> None:
    """Print a line: to standard error when a public key is printed too, so that standard output has only the key."""
    click.echo(text, err=how is _How.BY_HAND)


def _file(folder: "KeyFolder", passphrase: str | None, version: int | None, how: _How) -> "tuple[KeyFile, bool]":
    """Return the key to register with WeCom, and whether it is new."""
    latest = folder.latest
    if latest is not None and not latest.is_registered and version in (None, latest.version):
        return latest, False
    if how is _How.DONE:
        raise click.ClickException(f"{folder.path} has no key that is not registered: leave --registered out")
    least = 1 if latest is None else latest.version + 1
    if version is not None and version < least:
        raise click.UsageError(f"--version is {least} or more: {folder.path} has version {least - 1}")
    return folder.make(version or least, passphrase), True


def _register(client: "ZoneClient", verb: str, file: "KeyFile", public_key: str) -> None:
    from wwspec_client import ZoneClientError

    try:
        client.set_public_key(public_key, file.version)
    except ZoneClientError as error:
        errcode = getattr(error, "errcode", 0)
        if errcode in CONSOLE_CODES:
            todo = f"a corp's own app has its key set in the admin console: wwspec keys {verb} --no-register"
        elif errcode == VERSION_CODE:
            todo = "`wwspec keys list --online` shows which versions seal messages; give a higher one as --version"
        else:
            todo = f"`wwspec keys {verb}` goes on with this key"
        raise click.ClickException(f"{error}; {todo}") from None


def _todo(folder: "KeyFolder", file: "KeyFile") -> str:
    """Return what the app does next once WeCom has a key."""
    older = [each for each in folder.keys if each.version < file.version]
    if not older:
        return f"registered; let the app load it: KeyRing.from_folder(Path({str(folder.path)!r}))"
    names = ", ".join(each.path.name for each in older)
    return (
        f"registered; new messages are sealed with version {file.version}: let the app load {folder.path} again. "
        f"Keep {names}: messages until now need them"
    )


@command.command("list", cls=WeComCommand)
@click.option("--online", is_flag=True, help="Pull messages through the program, and say which versions seal them.")
@prefix_option
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@key_options(confirm=False)
@caller_options
def list_keys(place: Place, keys: Path, passphrase: str | None, prefix: str, *, online: bool, as_json: bool) -> None:
    """List the keys: version, file, mode, SHA-256 of the public key, and whether it is registered.

    No API of WeCom tells which key it has. Each message tells which one has sealed it: with --online up to 1000
    messages are pulled, the oldest of the last 5 days first. They are not kept.
    """
    rows = {file.version: _row(file, passphrase) for file in _folder(keys).keys}
    if online:
        with place.client(f"{prefix}{SYNC_MSG}", program=True) as client:
            pulled = pull_messages(client, prefix)
        for version in sorted({*rows, *pulled.samples}):
            row = rows.setdefault(version, {"version": version, "file": None, "state": "missing"})
            row["seals_messages"] = version in pulled.samples
        click.echo(pulled.text, err=True)
    if as_json:
        print_json([rows[version] for version in sorted(rows)])
        return
    if not rows:
        click.echo(f"{keys} has no key: `wwspec keys new` makes one", err=True)
    for version in sorted(rows):
        click.echo(_line(rows[version]))


def _row(file: "KeyFile", passphrase: str | None) -> dict[str, Any]:
    state = "registered" if file.is_registered else "not registered"
    try:
        fingerprint = file.ring(passphrase).fingerprint()
    except ConfigurationError as error:
        fingerprint, state = None, str(error).removeprefix(f"{file.path}: ")
    return {
        "version": file.version,
        "file": str(file.path),
        "mode": f"{file.mode:04o}",
        "sha256": fingerprint,
        "state": f"{state}; others can read it: chmod 600 {file.path}" if file.is_open else state,
    }


def _line(row: dict[str, Any]) -> str:
    columns = (row["version"], row["file"] or "-", row.get("mode") or "-", row.get("sha256") or "-", row["state"])
    use = {True: "; seals messages", False: "; seals none of them", None: ""}[row.get("seals_messages")]
    return "  ".join(map(str, columns)) + use
