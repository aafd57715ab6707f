"""The READMEs of each example name every variable of its environment."""

import re
from dataclasses import fields

import pytest

from tests.support.apps import ROOT
from wwspec_client.provider import SuiteSettings

EXAMPLES = ROOT / "examples"
VARIABLES = {
    "archive_app/app.py": 8,
    "archive_service/app.py": 10,
    "message_viewer/app.py": 9,
    "quality_inspection/app/inspector.py": 6,
}
"""How many variables each app reads."""


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
