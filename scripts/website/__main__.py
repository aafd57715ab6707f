"""Builds the site of the documentation into build/site/, or serves it while its pages are written.

usage: python -m scripts.website [--serve]    scripts/docs makes the environment that it needs
"""

import logging
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # the theme's word on another product, in every build

import jieba
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from mkdocs.livereload import LiveReloadServer

from scripts.website.offline import requests_elsewhere
from scripts.website.pages import DOCS, LANGUAGES, blocks_of, pages_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SITE = ROOT / "build" / "site"
CONFIGURATIONS = ("mkdocs.yml", "mkdocs.zh.yml")
PORT = 8000


def build_all() -> None:
    """Build the site of each language, and the page that leads to them."""
    for name in CONFIGURATIONS:
        config = load_config(str(HERE / name))
        config.plugins.on_startup(command="build", dirty=False)
        try:
            build(config)
        finally:
            config.plugins.on_shutdown()
    shutil.copy(HERE / "index.html", SITE)


def serve() -> None:
    """Serve the site on this machine, and build it again when a page changes."""
    build_all()
    server = LiveReloadServer(build_all, "127.0.0.1", PORT, str(SITE))
    for folder in (ROOT / "docs", HERE):
        server.watch(str(folder))
    print(f"http://127.0.0.1:{PORT}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        server.shutdown()


def main() -> int:
    """Do what the arguments say."""
    jieba.setLogLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        if "--serve" in sys.argv[1:]:
            serve()
        else:
            build_all()
    except Abort as error:
        print(f"scripts/docs: {error}", file=sys.stderr)
        return 1
    if asked := list(requests_elsewhere(SITE)):
        print("scripts/docs: the site asks other hosts:", *asked, sep="\n  ", file=sys.stderr)
        return 1
    pages = len(list(SITE.rglob("*.html")))
    size = sum(file.stat().st_size for file in SITE.rglob("*") if file.is_file())
    print(f"build/site: {pages} pages, {size / 1e6:.1f} MB")
    for language in LANGUAGES:
        blocks = sum(len(blocks_of(DOCS / language / page)) for page in pages_of(language))
        print(f"docs/{language}: {len(pages_of(language))} pages, {blocks} blocks that tests/docs runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
