"""The installed wheel serves a folder with nothing but a registry file; contracts in that folder replace WeCom's."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.conftest import run
from tests.support.apps import ROOT
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

REPLACEMENT = """\
from wwspec_contracts.base import ApiRequest, Output


class Response(Output):
    has_more: int = 0


class Request(ApiRequest[Response]):
    limit: int
"""

CALLS = """\
import json, sys
from pathlib import Path
from wwspec_devtools.testing.zone import Zone

calls = json.loads(sys.argv[2])
with Zone.serve(Path(sys.argv[1])) as zone:
    print(json.dumps({ability_id: json.loads(zone.call(ability_id, data).raw) for ability_id, data in calls.items()}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application folder with nothing but a registry file."""
    registry = tmp_path / "app" / "abilities" / "registry.toml"
    registry.parent.mkdir(parents=True)
    registry.write_text(REGISTRY, "utf-8")
    return tmp_path / "app"


def replies(installed: Path, env: dict[str, str], folder: Path, calls: dict[str, Any]) -> dict[str, Any]:
    """Serve a folder with the installed wheel, call abilities, and return their replies."""
    printed = run(installed / "python", "-c", CALLS, folder, json.dumps(calls), cwd=Path("/"), env=env)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def test_a_registry_file_alone_serves_every_api(installed: Path, clean_env: dict[str, str], folder: Path) -> None:
    payloads = sorted((ROOT / "tests" / "payloads" / "api").glob("*.request.json"))
    calls = {f"invoke_{path.name.partition('.')[0]}": json.loads(path.read_text("utf-8")) for path in payloads}
    answered = replies(installed, clean_env, folder, calls)

    assert len(answered) == len(SDK_APIS)
    own_errors = {api: reply for api, reply in answered.items() if reply["errcode"] == DEFAULT_ERRCODE}
    assert own_errors == {}  # all others are the platform's, since it does not know the documents' ids
    assert answered["invoke_knowledge_base_list"]["errcode"] == 0


def test_a_contract_in_the_folder_replaces_the_shipped_one(
    installed: Path, clean_env: dict[str, str], folder: Path
) -> None:
    contract = folder / "schemas" / "api" / "sync_msg.py"
    contract.parent.mkdir(parents=True)
    contract.write_text(REPLACEMENT, "utf-8")
    answered = replies(installed, clean_env, folder, {"invoke_sync_msg": {"limit": 5}, "invoke_get_rule_list": {}})
    listed = run(installed / "wwspec", "abilities", "--app", folder, cwd=Path("/"), env=clean_env)

    assert answered["invoke_sync_msg"] == {"errcode": 0, "errmsg": "ok", "has_more": 1}
    assert answered["invoke_get_rule_list"]["errcode"] == 0
    assert listed.splitlines()[-1] == "schemas/api/sync_msg.py replaces the shipped contract of SDK API sync_msg"
