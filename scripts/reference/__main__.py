"""Writes the pages and badges that are made from the code, and the examples of WeCom's contracts.

usage: python -m scripts.reference [--check]    with --check it writes nothing and exits with 1 when a page differs
"""

import sys
from pathlib import Path

from scripts.reference import (
    api,
    badges,
    cli,
    client_api,
    contracts,
    emulator_apis,
    errcodes,
    errors,
    events,
    figures,
    metrics,
    settings,
    testing_api,
    wecom_examples,
)
from scripts.reference.text import Say

__all__ = ["MODULES", "generated"]

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    api,
    client_api,
    cli,
    contracts,
    emulator_apis,
    errcodes,
    errors,
    events,
    figures,
    metrics,
    settings,
    testing_api,
)


def generated() -> dict[Path, str]:
    """Return the text of all that is made from the code, by files: pages, README's badges, examples of contracts."""
    docs = ROOT / "docs"
    pages = {
        docs / language / module.PAGE: module.page(Say(language)).rstrip() + "\n"
        for module in MODULES
        for language in ("en", "zh")
    }
    return (
        pages
        | {docs / badges.FILE.format(language=language): badges.picture(Say(language)) for language in ("en", "zh")}
        | {wecom_examples.FILE: wecom_examples.text()}
    )


def main() -> int:
    """Write or check the pages."""
    stale = [path for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from the code: run scripts/fix", file=sys.stderr)
        return 1 if stale else 0
    for path, text in generated().items():
        if path in stale:
            path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
