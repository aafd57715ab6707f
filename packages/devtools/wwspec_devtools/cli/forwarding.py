"""Passes the options of one verb on to another verb, which it starts."""

from collections.abc import Collection

import click
from click.core import ParameterSource

from wwspec_router.cli.options import SecretOption


def forwarded(context: click.Context, names: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return the options that a verb was given, in the form that another verb takes.

    Args:
        context: The context of the verb that was given them.
        names: The parameters to pass on.

    Returns:
        Options, and environment variables for secrets: every user of the machine can read a command line.
    """
    options: list[str] = []
    environment: dict[str, str] = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in names or context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        value = context.params[name]
        if isinstance(parameter, SecretOption):
            environment |= {str(parameter.envvar): str(value), f"{parameter.envvar}_FILE": ""}
        elif isinstance(value, bool):
            options += parameter.opts[:1] if value else parameter.secondary_opts[:1]
        elif isinstance(value, tuple):
            options += [f"{parameter.opts[0]}={each}" for each in value]
        else:
            options.append(f"{parameter.opts[0]}={value}")
    return options, environment
