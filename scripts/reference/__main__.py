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
    emulator_client,
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
    emulator_client,
    errcodes,
    errors,
    events,
    figures,
    metrics,
    settings,
    testing_api,
)


def generated(chinese: Say | None = None) -> dict[Path, str]:
    """Return the text of all that is made from the code, by files: pages, README's badges, examples of contracts.

    Args:
        chinese: Knows afterwards which texts have no Chinese.
    """
    docs = ROOT / "docs"
    languages = (Say("en"), chinese or Say("zh"))
    pages = {
        docs / say.language / module.PAGE: module.page(say).rstrip() + "\n" for module in MODULES for say in languages
    }
    return (
        pages
        | {docs / badges.FILE.format(language=say.language): badges.picture(say) for say in languages}
        | {wecom_examples.API_EXAMPLES: wecom_examples.text()}
    )


def main() -> int:
    """Write or check the pages."""
    chinese = Say("zh")
    texts = generated(chinese)
    before = {path: path.read_text("utf-8") if path.exists() else "" for path in texts}
    stale = [path for path, text in texts.items() if before[path] != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} differs from the code: run scripts/fix", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(texts[path], "utf-8")
        new = (each for each in chinese.untranslated if each in texts[path] and each not in before[path])
        for english in sorted(new) if "/zh/" in path.as_posix() else ():
            print(f"{path.relative_to(ROOT)} has this in English, add it to chinese.toml: {english}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
