"""The installed wheel serves a folder with nothing but a registry file."""

import json
from pathlib import Path

import pytest

from tests.packaging.conftest import run
from tests.support.apps import ROOT, write_files
from wwspec_contracts.errors import DEFAULT_ERRCODE
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS

pytestmark = pytest.mark.slow

REGISTRY = """\
[passthrough]
prefix = "invoke_"
apis = "*"

[abilities.get_callback_data]
kind = "callback_data"
"""

CALLS = """\
import json, sys
from pathlib import Path
from wwspec_devtools.testing.zone import Zone

calls = json.loads(sys.argv[2])
with Zone.serve(Path(sys.argv[1])) as zone:
    print(json.dumps({ability_id: json.loads(zone.call(ability_id, data).raw) for ability_id, data in calls.items()}))
"""


def test_a_registry_file_alone_serves_every_api(installed: Path, clean_env: dict[str, str], tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"abilities/registry.toml": REGISTRY})
    payloads = sorted((ROOT / "tests" / "payloads" / "api").glob("*.request.json"))
    calls = {f"invoke_{path.name.partition('.')[0]}": json.loads(path.read_text("utf-8")) for path in payloads}
    printed = run(installed / "python", "-c", CALLS, folder, json.dumps(calls), cwd=Path("/"), env=clean_env)
    answered = json.loads(printed.splitlines()[-1])
    assert len(answered) == len(SDK_APIS)
    own_errors = {api: reply for api, reply in answered.items() if reply["errcode"] == DEFAULT_ERRCODE}
    assert own_errors == {}  # all others are the platform's, since it does not know the documents' ids
    assert answered["invoke_knowledge_base_list"]["errcode"] == 0
