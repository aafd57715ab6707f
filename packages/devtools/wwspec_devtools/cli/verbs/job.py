"""`wwspec job`: the jobs of a program that failed for good, or whose ability it lacks."""

from typing import Any

import click

from wwspec_devtools.cli.administration import administration_options, ask, search_result
from wwspec_devtools.cli.call_target import Place
from wwspec_devtools.cli.command_group import CommandGroup
from wwspec_devtools.cli.tables import json_option, print_list
from wwspec_devtools.cli.wecom import WeComCommand

KIND = "jobs"
COLUMNS = ("job", "machine", "name", "attempts", "error", "errcode", "ago")


@click.group(cls=CommandGroup)
def command() -> None:
    """List the jobs of a program that failed for good, and run them again or drop them.

    A job is an asynchronous call, or an event that own code runs on. The commands ask an emulator, or WeCom with
    --base-url, as `wwspec call` does. The program needs an ability of kind = "jobs" in its registry file. If it runs on
    several machines, each has jobs of its own.
    """


@command.command("list", cls=WeComCommand)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most jobs of one answer.")
@administration_options(KIND, tries=1)
@json_option
def list_jobs(limit: int, ability: str, tries: int, place: Place, as_json: bool) -> None:
    """Print the jobs of the app that failed for good, or have no ability.

    One with the error "no ability" waits until a program on its store has the row of its ability again; drop it if none
    will.

    No data of a call or an event is printed. An answer is that of one machine: with --tries 20, those of nearly every
    machine are listed.
    """
    from msgspec.structs import asdict  # here, since `--help` needs no extra

    from wwspec_contracts.administration import JobsReply

    found: dict[str, dict[str, Any]] = {}
    for said in ask(place, KIND, ability, {"action": "list", "limit": limit}, JobsReply, tries):
        found |= {job.job_id: {**asdict(job), "machine": said.machine} for job in said.reply.jobs}
    cells = {"job": lambda job: job["job_id"], "ago": lambda job: f"{job['failed_s']} s"}
    print_list(sorted(found.values(), key=lambda job: job["failed_s"]), COLUMNS, as_json, cells)


@command.command("retry", cls=WeComCommand)
@click.argument("job_id", metavar="ID")
@administration_options(KIND)
def retry(job_id: str, ability: str, tries: int, place: Place) -> None:
    """Run the job ID again, at the machine that has it.

    Code on an event runs from its first attempt. Of an asynchronous call whose report was not accepted the result is
    reported again.
    """
    _change("retry", "runs again", job_id, ability, tries, place)


@command.command("drop", cls=WeComCommand)
@click.argument("job_id", metavar="ID")
@administration_options(KIND)
def drop(job_id: str, ability: str, tries: int, place: Place) -> None:
    """Give the job ID up, and remove what is stored of it."""
    _change("drop", "is dropped", job_id, ability, tries, place)


def _change(action: str, done: str, job_id: str, ability: str, tries: int, place: Place) -> None:
    """Ask until the machine that has the job answers.

    Raises:
        ClickException: It did not answer.
    """
    from wwspec_contracts.administration import JobsReply

    machines = set()
    for said in ask(place, KIND, ability, {"action": action, "job_id": job_id}, JobsReply, tries):
        if said.reply is not None:
            click.echo(f"{job_id} {done} at machine {said.machine}")
            return
        machines.add(said.machine)
    hint = '; one with the error "no ability" runs when a program has its row again' if action == "retry" else ""
    raise click.ClickException(
        f"{job_id}: none of them has this failed job: {search_result(machines, tries)}; "
        f"`wwspec job list` lists such jobs, and --tries asks more often{hint}"
    )
