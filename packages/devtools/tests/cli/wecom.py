"""`wwspec` within this process as an enterprise app's developer uses it: credentials in the environment."""

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from tests.support.zones import app_of
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main


class Shell:
    """Runs `wwspec` with the credentials of a zone's app, and with that zone as WeCom."""

    def __init__(self, zone: Zone) -> None:
        self.environment: dict[str, str | None] = {**app_of(zone)}
        self._secret = app_of(zone)["WWSPEC_CORPSECRET"]

    def __call__(self, *arguments: str | Path, typed: str | None = None, **variables: str | None) -> Result:
        """Run `wwspec`; a variable that is None is not set."""
        environment: Mapping[str, str | None] = {**self.environment, **variables}
        done = CliRunner().invoke(main, [*map(str, arguments)], env=environment, prog_name="wwspec", input=typed)
        assert "Traceback" not in done.output
        assert self._secret not in done.output
        assert "PRIVATE" not in done.output
        return done

    def lines(self, *arguments: str | Path, **variables: str | None) -> tuple[int, dict[str, str]]:
        """Return the exit code of a check, and its lines by topic."""
        done = self(*arguments, **variables)
        assert done.stderr == ""
        rows = [(line[:4].rstrip(), line[6:14].rstrip(), line[16:]) for line in done.stdout.splitlines()]
        return done.exit_code, {topic: f"{state} {text}" for state, topic, text in rows}
