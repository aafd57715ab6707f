"""`wwspec completion`: what a shell runs to complete verbs, options, ability IDs, events and APIs."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script by which SHELL completes verbs, options, ability IDs, events, APIs, errcodes and entry numbers.

    \b
    bash   eval "$(wwspec completion bash)"      in ~/.bashrc; bash 4.4 or later
    zsh    eval "$(wwspec completion zsh)"       in ~/.zshrc, below compinit
    fish   wwspec completion fish | source       in ~/.config/fish/config.fish

    The IDs are those of the registry file in the current folder; people and entries those of the emulator that runs.
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of click completes nothing for {shell}")
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, "wwspec", "_WWSPEC_COMPLETE").source())
