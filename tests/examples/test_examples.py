"""Each example is as small as it says, and its READMEs name every variable of its environment."""

import re
from dataclasses import fields

import pytest

from tests.support.apps import ROOT
from wwspec_client.provider import SuiteSettings

EXAMPLES = ROOT / "examples"
SIZES = {
    "archive_app": ("*.py", 135),
    "archive_service": ("*.py", 135),
    "java_program": ("*.java", 120),
    "message_viewer": ("page.html", 150),
    "quality_inspection": ("*.[pt][yo]*", 260),  # .py and .toml, with its tests
}
VARIABLES = {
    "archive_app/app.py": 8,
    "archive_service/app.py": 10,
    "message_viewer/app.py": 9,
    "quality_inspection/app/inspector.py": 6,
}
"""How many variables each app reads."""


@pytest.mark.parametrize("example", SIZES)
def test_an_example_has_few_lines(example: str) -> None:
    pattern, most = SIZES[example]
    files = [path for path in (EXAMPLES / example).rglob(pattern) if path.suffix in (".py", ".toml", ".html", ".java")]
    assert 0 < sum(bool(line.strip()) for file in files for line in file.read_text("utf-8").splitlines()) <= most


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
@pytest.mark.parametrize("app", VARIABLES)
def test_the_readme_names_every_variable_of_the_environment(app: str, readme: str) -> None:
    code = (EXAMPLES / app).read_text("utf-8")
    if "SuiteSettings.from_environment()" in code:
        names = {f"WWSPEC_{each.name.upper()}" for each in fields(SuiteSettings)}
    else:
        [settings] = re.findall(r"^(?:SETTINGS|NAMES) = \((.*?)\)(?=\n|  #)", code, re.DOTALL | re.MULTILINE)
        names = {f"WWSPEC_{name}" for name in re.findall(r'"(\w+)"', settings)}
    names |= {*re.findall(r'environ(?:\.get\(|\[)"(\w+)"', code)}
    text = (EXAMPLES / app.partition("/")[0] / readme).read_text("utf-8")
    assert names == {*re.findall(r"^\| `([A-Z]\w+)` \|", text, re.MULTILINE)}
    assert len(names) == VARIABLES[app]
