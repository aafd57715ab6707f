"""Console files: one reader and one writer, for the command line, the emulator and the registry."""

from pathlib import Path

import pytest

from tests.support.tables import for_each
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.files import ConsoleContract, read_console_contracts, read_console_files, write_console_files
from wwspec_router.codecs.from_example import contract_of_file

GBK = '{"消息": ""}'.encode("gbk")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    contracts = {"chat.digest": ConsoleContract({"消息": ""}, {"errcode": 0}), "摘要": ConsoleContract([], None)}
    write_console_files(tmp_path / "new", contracts)
    assert read_console_contracts(tmp_path / "new") == contracts


@for_each(["a/b", ".hidden", "../b"])
def test_an_ability_id_that_is_no_file_name_is_refused(ability_id: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be part of a file's name"):
        write_console_files(tmp_path, {ability_id: ConsoleContract({}, {})})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GBK, "it is not text in UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"", "Input data was truncated"),
    ],
    ids=["GBK", "deep", "empty"],
)
def test_a_file_that_is_no_json_in_utf_8_is_one_line_that_names_it(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "echo.input.json"
    path.write_bytes(content)
    for read in (read_console_files, read_console_contracts, lambda folder: contract_of_file(path)):
        with pytest.raises(ConfigurationError) as raised:
            read(tmp_path)
        assert str(raised.value).splitlines()[0] == f"{path}: is not JSON: {reason}"


def test_a_json_file_of_another_name_or_that_can_t_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "echo.json").write_text("{}")
    (tmp_path / ".input.json").write_text("{}")
    with pytest.raises(ConfigurationError) as raised:
        read_console_files(tmp_path)
    said = [line.partition(": ")[2] for line in str(raised.value).splitlines()]
    assert said == ["name it <ability ID>.input.json or <ability ID>.output.json"] * 2
    (tmp_path / "echo.input.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"echo\.input\.json: is a folder; name a JSON file"):
        read_console_files(tmp_path)
