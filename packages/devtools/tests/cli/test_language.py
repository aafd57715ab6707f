"""Help and errors in Chinese where the locale, `WWSPEC_LANG` or `--lang` asks for it; in English everywhere else."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import wwspec_devtools
import wwspec_router
from scripts.reference.cli import commands
from tests.cli.wecom import Shell
from tests.support.apps import ROOT
from tests.support.tables import for_each
from wwspec_contracts.source_text import width
from wwspec_devtools.emulator.display import reasons
from wwspec_devtools.emulator.http import summary
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli import chinese
from wwspec_router.cli.help import option_parts, paragraph
from wwspec_router.cli.language import CHINESE, translated
from wwspec_router.cli.main import VERBS, main

NO_LOCALE: dict[str, str | None] = dict.fromkeys(("WWSPEC_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
PAGES = [name.split() for name, _ in commands()]


def wwspec(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(main, arguments, env={**NO_LOCALE, "COLUMNS": "80", **variables}, prog_name="wwspec")


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "zh_CN.UTF-8"},
        {"LANG": "zh"},
        {"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"},
        {"LC_ALL": "zh_CN.GB18030", "LC_MESSAGES": "C"},
        {"WWSPEC_LANG": "zh", "LC_ALL": "C"},
    ],
)
def test_help_is_in_chinese_where_that_is_asked_for(variables: dict[str, str]) -> None:
    done = wwspec("zone", "advance", "--help", **variables)
    assert done.exit_code == 0
    assert done.stdout.startswith(
        "用法：wwspec zone advance [OPTIONS] TIME\n\n  拨快时钟。先处理到期的事项，再打印新的时间。\n"
    )
    assert "\n选项：\n  --url TEXT  模拟器的地址。  [环境变量：WWSPEC_EMULATOR_URL；默认：" in done.stdout


def test_lists_of_verbs_and_commands_are_in_chinese() -> None:
    verbs = wwspec("--help", LANG="zh_CN.UTF-8").stdout
    assert "\n起步：\n  new         新建一个程序的目录。\n              $ wwspec new shop\n" in verbs
    commands = wwspec("zone", "--help", LANG="zh_CN.UTF-8").stdout
    assert "\n时钟和故障：\n  advance        拨快时钟\n" in commands
    assert "\n  示例：\n    $ wwspec zone tail\n" in commands


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "C"},
        {"LANG": "en_US.UTF-8"},
        {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"},
        {"LC_ALL": "", "LC_MESSAGES": "en_GB", "LANG": "zh_CN.UTF-8"},
        {"WWSPEC_LANG": "en", "LANG": "zh_CN.UTF-8"},
    ],
)
def test_help_is_in_english_everywhere_else(variables: dict[str, str]) -> None:
    for arguments in (["--help"], ["serve", "--help"], ["zone", "--help"], ["call", "--help"]):
        before = wwspec(*arguments).stdout
        assert before.startswith("Usage: ")
        assert wwspec(*arguments, **variables).stdout == before


def test_the_option_goes_before_the_variable() -> None:
    assert wwspec("--lang", "zh", "--help", WWSPEC_LANG="en").stdout.startswith("用法：wwspec ")
    assert wwspec("--lang=zh", "zone", WWSPEC_LANG="en").output.startswith("用法：wwspec zone ")
    assert wwspec("--lang", "en", "zone", "--help", WWSPEC_LANG="zh").stdout.startswith("Usage: wwspec zone ")


def test_a_run_in_chinese_leaves_nothing_of_it_to_the_next() -> None:
    before = wwspec("serve", "--help").stdout
    assert wwspec("--lang", "zh", "serve", "--help").stdout != before
    assert wwspec("serve", "--help").stdout == before
    assert wwspec("serve", "--prot").stderr.startswith("Usage: ")


def test_help_shows_the_option_and_its_variable() -> None:
    assert re.search(r"^  --lang \[en\|zh\]  Language of .*\n.*WWSPEC_LANG", wwspec("--help").stdout, re.MULTILINE)


def test_an_unknown_language_is_named_with_those_that_there_are() -> None:
    done = wwspec("--lang", "fr", "check")
    assert done.exit_code == 2
    assert "Invalid value for '--lang'" in done.stderr
    done = wwspec("check", WWSPEC_LANG="fr")
    assert done.exit_code == 2
    assert "(env var: 'WWSPEC_LANG'): 'fr' is not one of 'en', 'zh'." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sevre", "没有子命令 'sevre'；是不是想输入 serve？"),
        ("xyzzy", "没有子命令 'xyzzy'；用 wwspec --help 查看全部"),
        ("zone shwo", "没有子命令 'zone shwo'；是不是想输入 show？"),
        ("zone show --lang zh", "--lang 写在子命令之前：wwspec --lang zh VERB"),
        ("--port 1", "这里没有选项 --port：选项写在子命令之后：wwspec VERB --port"),
        ("check --jsno", "没有选项 '--jsno'。"),
        ("doctor --productoin", "没有选项 '--productoin'。 是不是想输入 '--production'？"),
        ("task", "缺少参数 'ID'"),
        ("new a b", "多余的参数（b）"),
        ("zone traffic --errcode many", "'--errcode' 的值无效：'many' 不是有效的数字。"),
    ],
)
def test_wrong_usage_is_told_in_chinese(arguments: str, message: str) -> None:
    done = wwspec(*arguments.split(), LANG="zh_CN.UTF-8")
    assert done.exit_code == 2
    assert f"\n错误：{message}" in done.stderr
    assert done.stderr.startswith("用法：wwspec ")
    assert "\n查看帮助：wwspec " in done.stderr


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("tiemout = 5", "未知的键 tiemout；是不是想写 timeout？"),
        ("timeout = '5'", "timeout: 应为：数字；现为：文本"),
        ("api = 'sync_mgs'", "SDK 接口 sync_mgs 没有协议；是不是想写 sync_msg？"),
        ("handler = 'abilities.shop.buy'", 'handler: "abilities.shop.buy" 的格式应为 "abilities.shop:buy"'),
        ("kind = 'func'\napi = 'sync_msg'", "api、handler、kind 必须且只能写一个（现在写了 api and kind）"),
    ],
)
def test_a_fault_of_the_registry_file_is_in_chinese(tmp_path: Path, row: str, message: str) -> None:
    file = tmp_path / "abilities" / "registry.toml"
    file.parent.mkdir()
    file.write_text(f"[abilities.buy]\n{row}\n")
    done = wwspec("check", "--app", str(tmp_path), LANG="zh_CN.UTF-8")
    assert f"{file}:1 [abilities.buy]: {message}\n" in done.stderr


def test_a_refused_call_has_cause_and_fix_in_chinese(shell: Shell, zone: Zone) -> None:
    zone.client.add_fault("app", "errcode", "sync_call_program", 45009)
    at_wecom = shell("call", "chat_digest", **{**NO_LOCALE, "LANG": "zh_CN.UTF-8"})
    at_emulator = wwspec("call", "chat_digest", "--url", zone.client.url, LANG="zh_CN.UTF-8")
    english = shell("call", "chat_digest", **NO_LOCALE)
    assert english.stderr.endswith(
        "; call less often; WeCom refuses every call until the minute, the hour or the day is over\n"
    )
    assert at_wecom.stderr.startswith("错误：sync_call_program of chat_digest: 企业微信拒绝，errcode 45009：")
    assert at_wecom.stderr.endswith(
        "\n原因：调用超过频率限制\n解决办法：降低调用频率，超限后要到该分钟、该小时或当天结束才恢复。\n"
    )
    assert at_emulator.stderr.startswith("错误：chat_digest: 被平台拒绝，errcode 45009：")


def test_an_exchange_is_explained_in_chinese(zone: Zone) -> None:
    zone.client.reset()
    wwspec("call", "chat_digset", "--url", zone.client.url)
    number = str(zone.client.traffic(0, "app", bodies=False, wait=False)[-1]["number"])
    shown = wwspec("zone", "show", number, "--all", "--url", zone.client.url, LANG="zh_CN.UTF-8").stdout
    head, *lines = shown.partition("\n\n")[0].splitlines()
    assert head.startswith(f"#{number} sync_call_program chat_digset  失败：errcode 800003：")
    assert [line.split()[0] for line in lines] == ["处理办法", "请求", "应答", "下一步", "页面"]
    assert re.search("\n含义和解决办法\n  800003: .*[\u4e00-\u9fff].*\n  .*`wwspec abilities`", shown)


def texts_of(command: click.Command) -> Iterator[str]:
    """Yield what the help of a verb says in words."""
    context = click.Context(command, parent=click.Context(main, **main.context_settings))
    yield from map(paragraph, re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")))
    for parameter in command.get_params(context):
        record = None if isinstance(parameter, click.Argument) else parameter.get_help_record(context)
        if record is not None:
            meaning, limits = option_parts(record[1])
            yield meaning
            yield from (each.removeprefix("default: ") for each in limits if re.search("default: .*[a-z] [a-z]", each))


@for_each([("", main), *commands()])
def test_every_text_of_the_help_has_its_chinese(name: str, command: click.Command) -> None:
    tables = chinese.read_texts()
    known = tables["help"] | tables["messages"]
    heads = [*getattr(command, "sections", ()), *([VERBS[name].help, VERBS[name].group] if name in VERBS else [])]
    missing = [each for each in (*texts_of(command), *heads) if each and each not in known]
    assert missing == [], "add it to the chinese.toml of its package"


FAULTS = [
    *(
        "wwspec_router/" + each
        for each in ("registry/*.py", "handlers/[elm]*s.py", "handlers/ability.py", "config/*e.py")
    ),
    "wwspec_router/handlers/lifespan.py",
    "wwspec_router/codecs/from_example.py",
    *(
        f"packages/contracts/wwspec_contracts/{each}.py"
        for each in ("ex*s", "*files", "matching", "shape", "toml", "w*")
    ),
    *(f"packages/client/wwspec_client/{each}.py" for each in ("core", "errors")),
    *(f"packages/devtools/wwspec_devtools/{each}.py" for each in ("image/*", "testing/answer", "cli/verbs/fire")),
    *(f"packages/devtools/wwspec_devtools/cli/{each}.py" for each in ("call_target", "saved_requests", "wecom")),
    *(
        f"packages/devtools/wwspec_devtools/emulator/{each}.py"
        for each in ("http/client", "standin/wwspec_standin/link")
    ),
]
"""The modules whose errors are in Chinese."""
OTHERS = {"stored events", "must be", "Invalid enum value", " (at end of document)", "not started: "}
OTHERS |= {"no machine of the program runs", "a fault that was set"}
"""What these modules look for in texts of others."""
SHOWN = re.compile(r"(?<![\w/.+-])(?!async |chmod |pip |wwspec )[a-z]+'?[a-z]* [a-z]+")
"""Two English words."""


def errors_of(node: ast.AST) -> Iterator[str]:
    """Yield the texts of a module that may be errors, each with Xn in the place of its nth value."""
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else f"X{n}" for n, part in enumerate(node.values)]
        yield "".join(map(str, parts))
        for part in node.values:
            yield from errors_of(part.value) if isinstance(part, ast.FormattedValue) else ()
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    elif not re.match(r"log\.|click\.(option|argument)|re\.compile", ast.unparse(node)):
        yield from (text for each in ast.iter_child_nodes(node) for text in errors_of(each))


def is_english(text: str) -> bool:
    return SHOWN.search(re.sub("`[^`]*`", "", text)) is not None


@for_each([(str(file.relative_to(ROOT)), file) for name in FAULTS for file in sorted(ROOT.glob(name))])
def test_every_error_has_its_chinese(name: str, file: Path) -> None:
    with chinese.speaking():
        texts = {each for each in errors_of(ast.parse(file.read_text("utf-8"))) if is_english(each)}
        texts -= {
            each for key in CHINESE for each in (key, key.removeprefix("File that holds ").partition("; or set")[0])
        }
        lacking = [each for each in texts - OTHERS if is_english(translated(each))]
    assert lacking == [], "add it to the errors in chinese.toml of its package"


def test_every_message_in_chinese_is_one_of_the_program_or_of_click() -> None:
    ours = (Path(package.__path__[0], "cli") for package in (wwspec_router, wwspec_devtools))
    files = [*Path(click.__file__).parent.glob("*.py"), *(file for each in ours for file in each.rglob("*.py"))]
    files += [Path(inspect.getfile(module)) for module in (reasons, summary)]
    texts = [*(file.read_text("utf-8") for file in files), *(text for _, each in commands() for text in texts_of(each))]
    code = " ".join("\n".join(texts).split())
    assert [each for each in chinese.read_texts()["messages"] if " ".join(each.split()) not in code] == []


@for_each(PAGES)
def test_help_in_chinese_fits_a_terminal_of_80_columns(page: list[str]) -> None:
    usage, _, below = wwspec(*page, "--help", LANG="zh_CN.UTF-8").stdout.partition("\n\n")
    assert usage.startswith("用法：")
    assert max(map(width, below.splitlines())) <= 80
    assert not re.search("\n +[，。；：、）]", below), "a mark begins a line"


def test_output_that_has_no_chinese_characters_is_in_english() -> None:
    done = run_python("-m", "wwspec_router", "--lang", "zh", "check", "--help", encoding="latin-1")
    assert (done.returncode, done.stdout[:6]) == (0, "Usage:")
    done = run_python("-m", "wwspec_router", "--lang", "zh", "check", "--help", encoding="gbk")
    assert (done.returncode, done.stdout[:3]) == (0, "用法：")


def test_a_run_in_english_reads_nothing_of_the_chinese() -> None:
    code = "import sys, wwspec_router.cli.main as it; it.main(['--help'], standalone_mode=False); print(*sys.modules)"
    done = run_python("-c", code, encoding="utf-8")
    assert "wwspec_router.cli.language" in done.stdout
    assert not {"wwspec_router.cli.chinese", "tomllib"} & set(done.stdout.split())


def run_python(*arguments: str, encoding: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONIOENCODING": encoding, "LANG": "C", "PATH": ""}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, encoding=encoding, check=False
    )
