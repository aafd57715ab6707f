"""Options of the verbs that use the app's private keys: where they are, and their passphrase."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from wwspec_devtools.cli.option_types import FOLDER
from wwspec_router.cli.options import FunctionT, secret_option
from wwspec_router.config import variable


def key_options(*, confirm: bool) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds `--keys` and the argument `passphrase`: from the environment, a file or a prompt.

    Args:
        confirm: Ask for the passphrase twice, since a key may be made with it.
    """

    def add(function: FunctionT) -> FunctionT:
        @wraps(function)
        def asked(*arguments: Any, key_passphrase: str, ask_passphrase: bool, **options: Any) -> Any:
            if ask_passphrase:
                key_passphrase = click.prompt(
                    "Passphrase of the keys", hide_input=True, confirmation_prompt=confirm, err=True
                )
            return function(*arguments, passphrase=key_passphrase or None, **options)

        return _FOLDER(_PASSPHRASE(_PROMPT(cast(FunctionT, asked))))

    return add


_FOLDER = click.option(
    "--keys",
    type=FOLDER,
    default=Path("keys"),
    show_default=True,
    envvar=variable("keys"),
    show_envvar=True,
    help="Folder of the app's private keys.",
)
_PASSPHRASE = secret_option("key-passphrase", "the passphrase of the private keys")
_PROMPT = click.option("--ask-passphrase", is_flag=True, help="Ask for the passphrase of the private keys.")
