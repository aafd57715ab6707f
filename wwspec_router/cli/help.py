"""Pages of help that are too long for one list of options."""

import click

from wwspec_router.config import Topic, settings

__all__ = ["SettingsCommand"]

_OTHERS = "Options"


class SettingsCommand(click.Command):
    """A command whose `--help` shows the options of settings by their topic, after all others."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        topics = {
            name: setting.topic
            for setting in settings().values()
            for name in (setting.name, f"{setting.name}_file")  # the second is there for secrets
        }
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (_OTHERS, *Topic)}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                sections[topics.get(param.name or "", _OTHERS)].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
