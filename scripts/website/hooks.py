"""What MkDocs does besides its own work: the pages of one language, pictures and diagrams, links that leave the pages.

The language is `extra.language` of the configuration. Nothing here knows what a page says.
"""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

from scripts.website.offline import IFRAME_WORKER, MERMAID
from scripts.website.pages import LANGUAGES, SECTIONS, tree_faults

LOG = logging.getLogger("mkdocs.website")

_SWITCHES = {"Light": "浅色", "Dark": "深色", "As the system": "跟随系统"}
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./){3,}([^)#]+)(?:#[^)]*)?\)")
_ALTERNATE = re.compile(r'<link rel="?alternate"?[^>]*>')
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PACKAGES = Path(__file__).parent / "node_modules"
_OF_PACKAGES = {MERMAID: "@mermaid-js/tiny/dist/mermaid.tiny.js", IFRAME_WORKER: "iframe-worker/shim/index.js"}
_MADE = Path(__file__).parents[2] / "build/reference"
"""Pages that `python -m scripts.reference --into build/reference` has made: scripts/docs."""
_CELL = re.compile(r"<td\b.*?</td>", re.DOTALL)
_CODE = re.compile(r"(?<=<code>)[^<>]{12,}(?=</code>)")
_PART = re.compile(r"(?<=\w)[_./-](?=\w)|(?<=[a-z])(?=[A-Z])")
"""Where the line of a name may end."""
_SOURCE = re.compile(r'(?<=[ "])(src|srcset)="(\.[^"]+)"')
_PICTURE = re.compile(
    r'<picture><source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">(<img [^>]*>)</picture>'
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages of the language, and translate what the configuration says."""
    language = config.extra["language"]
    config.nav = _nav(config.nav or [], language)
    config.extra["alternate"] = [{"name": name, "lang": each, "link": ""} for each, name in LANGUAGES.items()]
    if language == "zh":
        for palette in config.theme["palette"]:
            palette["toggle"]["name"] = _SWITCHES[palette["toggle"]["name"]]
    for fault in tree_faults():
        LOG.warning(fault)
    return config


def _nav(entries: list[Any], language: str) -> list[Any]:
    named: list[Any] = []
    for entry in entries:
        if isinstance(entry, str):
            named.append(f"{language}/{entry}")
        else:
            for title, inside in entry.items():
                named.append({SECTIONS[title] if language == "zh" else title: _nav(inside, language)})
    return named


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Keep the pages of the language, at the top of the site, with those that only the site has."""
    language = config.extra["language"]
    made = {page.relative_to(_MADE).as_posix(): page for page in sorted((_MADE / language).rglob("*.md"))}
    if not made:
        LOG.warning("build/reference has no pages: python -m scripts.reference --into build/reference")
    own = [File.generated(config, uri, abs_src_path=str(page)) for uri, page in made.items()]
    kept = []
    for file in (*(each for each in files if each.src_uri not in made), *own):  # a made index stands for that of docs/
        top, _, rest = file.dest_uri.partition("/")
        if top == language:
            file.dest_uri = rest
        if top in (language, "pictures") or file.src_dir != config.docs_dir:  # the theme has files of its own
            kept.append(file)
    for uri, source in _OF_PACKAGES.items():
        kept.append(File.generated(config, uri, abs_src_path=str(_PACKAGES / source)))
    return Files(kept)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Name files outside of the documentation, and parse YAML that is shown."""
    for block in _YAML.findall(markdown):
        try:
            yaml.safe_load(block)
        except yaml.YAMLError as error:
            LOG.warning("%s: a block is no YAML: %s", page.file.src_uri, error)
    return _OUTSIDE.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    """Return the text of a link with the path that it leads to, unless the text is the path."""
    text, path = link.groups()
    return text if text.strip("`") == path else f"{text} (`{path}`)"


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the pictures that a page has in HTML to their files, and let the palette of the site choose among them.

    A page with a diagram loads what draws it, or the theme would ask another host for that. Long names in tables may
    end a line behind one of their parts, so that a table fits its page.
    """
    built = {file.dest_uri for file in files}

    def resolved(found: re.Match[str]) -> str:
        if _joined(page.file.dest_uri, found[2]) in built:  # one in Markdown, which MkDocs has resolved
            return found[0]
        file = files.get_file_from_path(_joined(page.file.src_uri, found[2]))
        if file is None:
            LOG.warning("%s: there is no picture %s", page.file.src_uri, found[2])
            return found[0]
        return f'{found[1]}="{get_relative_url(file.dest_uri, page.file.dest_uri)}"'

    html = _PICTURE.sub(_by_palette, _SOURCE.sub(resolved, html))
    html = _CELL.sub(_with_breaks, html)
    if '<pre class="mermaid">' in html:
        html = html.replace('<pre class="mermaid">', '<pre class="mermaid" data-search-exclude>')
        for script in (MERMAID, "assets/diagrams.js"):
            html += f'<script defer src="{get_relative_url(script, page.file.dest_uri)}"></script>'
    return html


def _with_breaks(cell: re.Match[str]) -> str:
    """Return a cell of a table, whose long names may end a line behind one of their parts."""
    return _CODE.sub(lambda code: _PART.sub(r"\g<0><wbr>", code[0]), cell[0])


def _joined(uri: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(uri), relative))


def _by_palette(found: re.Match[str]) -> str:
    """Return a picture for each palette: the site has its own switch, which the reader's system does not know."""
    dark, light = found[1], re.sub(r'src="([^"]+)"', r'src="\1#only-light"', found[2])
    return light + re.sub(r'src="[^"]+"', f'src="{dark}#only-dark"', light)


def on_page_context(context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Any) -> dict[str, Any]:
    """Let the switch of languages lead to the same page."""
    _lead_languages_to(config, page.file.dest_uri)
    return context


def on_template_context(context: dict[str, Any], template_name: str, config: MkDocsConfig) -> dict[str, Any]:
    """Let the switch of languages lead to the start, where there is no page."""
    _lead_languages_to(config, "index.html")
    return context


def _lead_languages_to(config: MkDocsConfig, uri: str) -> None:
    for alternate in config.extra["alternate"]:
        alternate["link"] = f"../{alternate['lang']}/{uri}"


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Take out the links by which the theme's script looks for the site map of a site with an address of its own."""
    return _ALTERNATE.sub("", output)


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Do the same for what is no page."""
    return _ALTERNATE.sub("", output_content)
