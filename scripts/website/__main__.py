"""Builds the site of the documentation into build/site/, or serves it while its pages are written.

usage: python -m scripts.website [--serve] [--into FOLDER]    scripts/docs makes the environment that it needs
"""

import argparse
import logging
import os
import shutil
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # the theme's word on another product, in every build

import jieba
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from mkdocs.livereload import LiveReloadServer

from scripts.website.facts import unproved_facts
from scripts.website.llms import index_text
from scripts.website.offline import requests_elsewhere
from scripts.website.pages import DOCS, LANGUAGES, blocks_of, pages_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SITE = ROOT / "build" / "site"
CONFIGURATIONS = ("mkdocs.yml", "mkdocs.zh.yml")
PORT = 8000


def build_all(site: Path) -> None:
    """Build the site of each language, and the page that leads to them."""
    for name, language in zip(CONFIGURATIONS, LANGUAGES, strict=True):
        config = load_config(str(HERE / name), site_dir=str(site / language))
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
        (site / language / "llms.txt").write_text(index_text(config.nav or []), "utf-8")
        if language == "en":  # at the top, too, where assistants look for it
            (site / "llms.txt").write_text(index_text(config.nav or [], "en/"), "utf-8")
    shutil.copy(HERE / "index.html", site)


def serve(site: Path) -> None:
    """Serve the site on this machine, and build it again when a page changes."""
    build_all(site)
    server = LiveReloadServer(partial(build_all, site), "127.0.0.1", PORT, str(site))
    for folder in (ROOT / "docs", HERE):
        server.watch(str(folder))
    print(f"http://127.0.0.1:{PORT}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        server.shutdown()


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="scripts/docs", description="Builds the site of the documentation.")
    parser.add_argument("--serve", action="store_true", help="serve it, and build it again when a page changes")
    parser.add_argument("--into", type=Path, default=SITE, metavar="FOLDER", help="where it is built, not build/site")
    options = parser.parse_args()
    site: Path = options.into.resolve()
    jieba.setLogLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        if options.serve:
            serve(site)
        else:
            build_all(site)
    except Abort as error:
        print(f"scripts/docs: {error}", file=sys.stderr)
        return 1
    if facts := [fact for language in LANGUAGES for fact in unproved_facts(DOCS / language, language)]:
        print("scripts/docs: limits of WeCom without its page:", *facts, sep="\n  ", file=sys.stderr)
        return 1
    if asked := list(requests_elsewhere(site)):
        print("scripts/docs: the site asks other hosts:", *asked, sep="\n  ", file=sys.stderr)
        return 1
    pages = len(list(site.rglob("*.html")))
    size = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    print(f"{'build/site' if site == SITE else site}: {pages} pages, {size / 1e6:.1f} MB")
    for language in LANGUAGES:
        blocks = sum(len(blocks_of(DOCS / language / page)) for page in pages_of(language))
        print(f"docs/{language}: {len(pages_of(language))} pages, {blocks} blocks that tests/docs runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
