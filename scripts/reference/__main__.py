"""Writes the pages and badges that are made from the code, and the examples of WeCom's contracts.

usage: python -m scripts.reference [--check | --into FOLDER]
  --check          write nothing, and exit with 1 when a page differs
  --into FOLDER    write the pages that only the built site has: scripts/docs
"""

import argparse
import shutil
import sys
from pathlib import Path

from scripts.reference import (
    badges,
    cli,
    contracts,
    emulator_apis,
    errcodes,
    errors,
    events,
    figures,
    metrics,
    names,
    python_api,
    settings,
    wecom_examples,
)
from scripts.reference.text import Say

__all__ = ["MODULES", "generated", "only_built"]

ROOT = Path(__file__).resolve().parents[2]
MODULES = (cli, emulator_apis, errcodes, errors, events, figures, metrics, names, settings)
BUILT = (cli, contracts, python_api)
"""Modules with pages that are not in the repository."""


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


def only_built(say: Say) -> dict[str, str]:
    """Return the pages that only the built site has, by their paths below the language: its indexes lead to them."""
    pages = {f"reference/{path}": text for module in BUILT for path, text in module.pages(say).items()}
    pages |= {module.PAGE: module.page(say, built=True) for module in (cli, errcodes, names)}
    return {path: text.rstrip() + "\n" for path, text in pages.items()}


def write_built(folder: Path) -> None:
    """Write those pages, a folder for each language."""
    shutil.rmtree(folder, ignore_errors=True)
    for language in ("en", "zh"):
        for path, text in only_built(Say(language)).items():
            page = folder / language / path
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, "utf-8")


def main() -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(
        prog="scripts.reference", description="Writes the pages that are made from the code."
    )
    parser.add_argument("--check", action="store_true", help="write nothing, and exit with 1 when a page differs")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="write the pages that only the built site has")
    options = parser.parse_args()
    if options.into:
        write_built(options.into)
        return 0
    chinese = Say("zh")
    texts = generated(chinese)
    before = {path: path.read_text("utf-8") if path.exists() else "" for path in texts}
    stale = [path for path, text in texts.items() if before[path] != text]
    if options.check:
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
