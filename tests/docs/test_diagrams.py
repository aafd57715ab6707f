"""The diagrams: they are what scripts/pictures draws, every one is shown, and says in words what it shows."""

import re
from xml.etree import ElementTree

import pytest

from scripts.pictures.__main__ import FOLDER, PICTURES, drawn
from scripts.pictures.canvas import THEMES, WIDTH, Canvas
from scripts.website.pages import DOCS, LANGUAGES
from tests.support.apps import ROOT

SHOWN = re.compile(
    r'<picture><source media="\(prefers-color-scheme: dark\)" srcset="[^"]*/diagrams/([\w-]+)-dark\.svg">'
    r'<img alt="([^"]+)" src="[^"]*/diagrams/([\w-]+)-light\.svg"></picture>'
)


def shown(language: str) -> dict[str, str]:
    """Return the alternative text of each diagram on the pages of a language, and of its README."""
    found = {}
    readme = {"en": "README.md", "zh": "README.zh-CN.md"}[language]
    for page in [*(DOCS / language).rglob("*.md"), ROOT / readme]:
        text = page.read_text("utf-8") if page.exists() else ""
        places = SHOWN.findall(text)
        assert text.count("/diagrams/") == 2 * len(places), f"{page}: a diagram that has no dark form or no alt"
        for dark, alt, light in places:
            assert dark == light
            found[light] = alt
    return found


def test_the_diagrams_are_those_that_are_drawn() -> None:
    assert {path: path.read_text("utf-8") for path in FOLDER.iterdir()} == drawn(), "run scripts/fix"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_diagram_is_shown_in_its_language_and_described(language: str) -> None:
    texts = {
        f"{name}-{language}": english if language == "en" else chinese
        for name, (_, english, chinese) in PICTURES.items()
    }
    assert shown(language) == texts


def test_a_diagram_is_sound_xml_whose_text_stays_text() -> None:
    for path, text in drawn().items():
        tree = ElementTree.fromstring(text)  # noqa: S314 - our own file
        words = "".join(each for part in tree.iter("{http://www.w3.org/2000/svg}text") for each in part.itertext())
        assert len(words) > 150, path
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), "it asks no host for anything"


def test_a_word_that_fits_no_line_is_refused() -> None:
    with pytest.raises(ValueError, match="'program_async_job_call_back' does not fit 60 units"):
        Canvas(THEMES["light"]).text(0, 0, 60, "the API `program_async_job_call_back`")


def test_lines_stay_in_their_width() -> None:
    canvas = Canvas(THEMES["dark"])
    end = canvas.text(0, 0, 200, "An event that can't be stored is answered as failed. 无法存储的事件，按失败应答。")
    lines = re.findall(r"<text[^>]*>([^<]+)</text>", canvas.svg(end, "lines"))
    assert len(lines) > 3
    assert all(line == line.strip() and line[0] not in "，。" for line in lines)
    assert end < WIDTH
