#!/usr/bin/env python3
"""Writes the table of settings in docs/en/how-to/operations.md from wwspec_router/config.py, between its two marks.

usage: scripts/settings_table.py [--check]    with --check it writes nothing and exits with 1 when the table differs
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "en" / "how-to" / "operations.md"
BEGIN = "<!-- settings: made by scripts/settings_table.py -->\n"
END = "<!-- end of settings -->\n"

sys.path.insert(0, str(ROOT))

from wwspec_router.config import Secret, Setting, settings, variable  # noqa: E402 - of this work tree


def table() -> str:
    """Return the table as Markdown."""
    rows = ["| option | default | variable | meaning |", "|---|---|---|---|"]
    rows += [row for setting in settings().values() for row in _rows(setting)]
    return "\n".join(rows) + "\n"


def _rows(setting: Setting) -> list[str]:
    name, file = f"`--{setting.option}`", f"`--{setting.option}-file`"
    named = variable(setting.option)
    match setting.secret:
        case Secret.NEVER:
            return [_row(name, _default(setting), f"`{named}`", setting.text)]
        case Secret.WITH_PASSWORD:
            rest = "A file that holds it, for one with a password. See [secrets](#secrets)."
            return [
                _row(name, _default(setting), f"`{named}`", setting.text),
                _row(file, "", f"`{named}_FILE`", rest),
            ]
        case Secret.ALWAYS:
            return [_row(file, "", f"`{named}`, `{named}_FILE`", f"{setting.text} See [secrets](#secrets).")]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _default(setting: Setting) -> str:
    default = setting.default
    if default == "":
        return ""
    if isinstance(default, bool):
        return f"on; off with `--no-{setting.option}`" if default else "off"
    return (
        f"{default:g}" if isinstance(default, float) else f"`{default}`" if isinstance(default, str) else str(default)
    )


def main() -> int:
    """Write or check the table."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        print(f"{PAGE.name}: the lines {BEGIN.strip()} and {END.strip()} are missing", file=sys.stderr)
        return 1
    wanted = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if wanted == text:
        return 0
    if "--check" in sys.argv[1:]:
        print(
            f"{PAGE.name}: its table of settings differs from config.py: run scripts/settings_table.py", file=sys.stderr
        )
        return 1
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
