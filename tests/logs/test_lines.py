import asyncio
import io
import json
import logging
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given, strategies as st

from tests.stores.suites.rig import ManualClock
from tests.support.tables import for_each
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.rare_lines import MOST_KINDS, LineLimiter
from wwspec_contracts.support.stacks import describe, describe_task
from wwspec_router.logs.formats import Fields, JsonFormatter, OneLineFormatter, current_request
from wwspec_router.logs.handlers import SdkLogHandler, pieces
from wwspec_router.logs.lines import about, log_stray, setup_logging
from wwspec_router.logs.tracebacks import traceback_of
from wwspec_router.logs.traceparent import current_traceparent


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    """An exchange leaves its number on its thread."""
    request = current_request.set("")
    yield
    current_request.reset(request)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard output, with logging set up as the program does it, and undone afterwards."""
    root, noisy = logging.getLogger(), [logging.getLogger(name) for name in ("httpx", "httpcore", "asyncio")]
    before = (root.handlers[:], root.level, [each.level for each in noisy])
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    for name in ("uvicorn.error", "wwspec_router.logs.lines"):
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    setup_logging("DEBUG")
    yield output
    root.handlers[:], level, levels = before[0], before[1], before[2]
    root.setLevel(level)
    for logger, each in zip(noisy, levels, strict=True):
        logger.setLevel(each)


def test_a_record_is_one_line_on_standard_output(lines: io.StringIO) -> None:
    logging.getLogger("wwspec_router.any").debug("one\ntwo %s", "three\nfour")
    [line] = lines.getvalue().splitlines()
    assert " DEBUG wwspec_router.any " in line
    assert line.endswith("one | two three | four")


def test_noisy_libraries_log_warnings_only(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("GET a-url")
    logging.getLogger("httpx").warning("odd")
    [line] = lines.getvalue().splitlines()
    assert line.endswith("odd")


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert describe(ValueError("a-secret")) == "ValueError at an unknown place"


def test_a_deep_failure_is_described_by_its_innermost_frames() -> None:
    def deep(level: int) -> None:
        if level:
            deep(level - 1)
        raise KeyError

    with pytest.raises(KeyError) as caught:
        deep(10)
    assert describe(caught.value).count("test_lines.py") == 4


@for_each(
    [("", ""), ("a" * 12, "a" * 12), ("a" * 13, "a" * 12 + "…")]
    + [("a\nb", "a\\nb"), ("中", "\\u4e2d"), ("\ud800", "\\ud800")]
)
def test_an_id_is_shortened_and_escaped(text: str, shown: str) -> None:
    assert short(text) == shown


def test_the_sdk_is_given_every_record_in_pieces_that_it_keeps_whole() -> None:
    written: list[tuple[str, str]] = []
    logger = logging.Logger("wwspec_router.any")
    logger.addHandler(SdkLogHandler(lambda level, text: written.append((level, text))))
    logger.debug("one")
    logger.info("two\nlines")
    logger.warning("three")
    logger.error("数" * 100)
    assert written == [
        ("debug", "DEBUG wwspec_router.any one"),
        ("info", "INFO wwspec_router.any two | lines"),
        ("error", "WARNING wwspec_router.any three"),
        ("error", f"1/3 ERROR wwspec_router.any {'数' * 32}"),
        ("error", f"2/3 {'数' * 40}"),
        ("error", f"3/3 {'数' * 28}"),
    ]


def test_each_piece_of_a_record_has_the_number_of_its_request_and_begins_with_a_word() -> None:
    written: list[str] = []
    logger = logging.Logger("abilities.report")
    logger.addHandler(SdkLogHandler(lambda level, text: written.append(text)))
    with about("job-83b2a056d039…"):
        logger.info(
            "read 4000 messages of 37 conversations in 21 pages, the last one at cursor 1792, and now the rules"
        )
    head = "#job-83b2a056d039… "
    assert written == [
        f"{head}1/2 INFO abilities.report read 4000 messages of 37 conversations in 21 pages, the last one at cursor ",
        f"{head}2/2 1792, and now the rules",
    ]


@given(text=st.text(st.sampled_from("a 数\ud800") | st.characters(), max_size=400), limit=st.integers(40, 130))
def test_pieces_keep_to_the_limit_and_lose_nothing(text: str, limit: int) -> None:
    found = pieces(text, limit, "#12 ")
    marks = [f"#12 {number}/{len(found)} " for number in range(1, len(found) + 1)] if len(found) > 1 else ["#12 "]
    assert all(piece.startswith(mark) for piece, mark in zip(found, marks, strict=True))
    whole = "".join(piece.removeprefix(mark) for piece, mark in zip(found, marks, strict=True))
    assert whole == text.encode("utf-8", "backslashreplace").decode()
    assert all(len(piece.encode()) <= limit for piece in found)


def test_an_sdk_whose_log_fails_does_not_disturb_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    refused: list[str] = []

    def fail(level: str, text: str) -> None:
        refused.append(text)
        raise OSError("the log is full")

    logger = logging.Logger("wwspec_router.any")
    logger.addHandler(SdkLogHandler(fail))
    logger.error("one")
    assert len(refused) == 1
    assert capsys.readouterr() == ("", "")


def test_the_sdk_is_told_of_an_error_as_standard_output_is(lines: io.StringIO) -> None:
    written: list[str] = []
    logger = logging.getLogger("wwspec_router.any")
    handler = SdkLogHandler(lambda level, text: written.append(text))
    logger.addHandler(handler)
    logging.getLogger().addHandler(handler)
    try:
        raise ValueError("a-secret")
    except ValueError:
        logger.exception("it failed")
    finally:
        logger.removeHandler(handler)
    logged = [*written, lines.getvalue()]
    assert len(logged) == 3
    assert all("it failed: ValueError at test_lines.py:" in each and "a-secret" not in each for each in logged)


class _Sore:
    def __del__(self) -> None:
        raise ValueError("a-secret")

    def __repr__(self) -> str:
        return "a-secret"


class _UnreportedError(Exception):
    @property
    def __traceback__(self) -> None:  # type: ignore[override]
        raise RuntimeError("a-secret")


class _Sorer:
    def __del__(self) -> None:
        raise _UnreportedError("a-secret")


def test_an_error_that_nobody_can_be_told_of_is_logged_by_type_and_place(
    lines: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    _Sore()
    _Sorer()
    one, other = lines.getvalue().splitlines()
    assert "an error that no caller can get: ValueError at test_lines.py:" in one
    assert other.endswith("an error that no caller can get: an error that can't be described")
    assert "a-secret" not in lines.getvalue()
    assert capsys.readouterr().err == ""


def test_lines_of_the_server_that_any_client_can_cause_are_rare_each_kind_for_itself(
    clock: ManualClock, lines: io.StringIO
) -> None:
    server = logging.getLogger("uvicorn.error")
    for _ in range(3):
        server.warning("Invalid HTTP request received.")
        server.warning("Exceeded concurrency limit.")
        server.info("something else")
    clock.advance(1.0)
    server.warning("Invalid HTTP request received.")
    logged = lines.getvalue()
    assert logged.count("Invalid HTTP request received.") == 2
    assert logged.count("Exceeded concurrency limit.") == 1
    assert logged.count("something else") == 3
    assert logged.endswith("Invalid HTTP request received. (and 2 more since the last such line)\n")


def test_the_number_of_kinds_that_are_told_apart_is_bounded(clock: ManualClock) -> None:
    limiter = LineLimiter()
    endings = [limiter.ending(f"kind {number}") for number in range(MOST_KINDS + 5)]
    assert endings == [""] * (MOST_KINDS + 1) + [None] * 4
    clock.advance(1.0)
    assert limiter.ending("kind 0") == ""
    assert limiter.ending("a new kind") == " (and 4 more since the last such line)"


def _warn(category: type[Warning] = DeprecationWarning) -> None:
    warnings.warn("a-secret", category, stacklevel=1)


class _Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("a-secret")


class _NamelessWarning(UserWarning, metaclass=_Nameless):
    pass


@pytest.mark.filterwarnings("always")
def test_a_warning_is_one_line_of_its_category_and_place(
    lines: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    _warn()
    warnings.showwarning("a-secret", _NamelessWarning, "any.py", 1)
    one, other = lines.getvalue().splitlines()
    assert " WARNING wwspec_router.logs " in one
    assert re.search(r" DeprecationWarning at test_lines\.py:\d+$", one)
    assert other.endswith(" a warning that can't be described")
    assert "a-secret" not in lines.getvalue()
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("always")
@pytest.mark.usefixtures("lines")
def test_a_warning_is_told_with_its_text_in_development(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(development=True)
    warnings.warn("use this\ninstead", stacklevel=1)
    first, second = capsys.readouterr().out.splitlines()
    assert re.search(r"  UserWarning at test_lines\.py:\d+: use this$", first)
    assert second.strip() == "instead"


@pytest.mark.filterwarnings("always")
def test_what_python_would_print_is_logged_once_a_second_for_each_place(clock: ManualClock, lines: io.StringIO) -> None:
    loop = asyncio.new_event_loop()
    for _ in range(3):
        log_stray(loop, {"exception": ValueError("a-secret")})
        _Sore()
        _warn()
    clock.advance(1.0)
    _warn()
    loop.close()
    logged = lines.getvalue().splitlines()
    assert len(logged) == 4
    assert logged[3].endswith(" (and 2 more since the last such line)")


async def test_a_task_is_described_by_the_coroutines_that_it_waits_in() -> None:
    forever: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def inner() -> None:
        await forever

    async def outer() -> None:
        await inner()

    task = asyncio.ensure_future(outer())
    await asyncio.sleep(0)
    places = describe_task(task).split(" < ")
    assert [place.partition(" ")[2] for place in places] == ["inner", "outer"]
    assert all(place.startswith("test_lines.py:") for place in places)
    forever.set_result(None)
    await task
    assert describe_task(task) == "its end"


@pytest.mark.usefixtures("lines")
def test_a_record_as_json_is_one_object_whose_time_has_its_zone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        setup_logging("INFO", as_json=True)
        before = time.time()
        logging.getLogger("wwspec_router.any").info("one\n%s", '"two"')
    finally:
        monkeypatch.undo()
        time.tzset()
    record = json.loads(capsys.readouterr().out)
    assert (record["level"], record["logger"], record["message"]) == ("INFO", "wwspec_router.any", 'one | "two"')
    moment = record["time"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+08:00", moment)
    assert abs(datetime.fromisoformat(moment).timestamp() - before) < 60


def test_fields_are_keys_as_json_and_names_with_values_as_text() -> None:
    fields = {"ability": "digest", "errcode": 0, "reported": True, "why": 'two "words"', "none": "", "ms": 1.5}
    record = logging.LogRecord("any", logging.INFO, "", 0, Fields("call", fields), None, None)
    as_json = json.loads(JsonFormatter().format(record))
    assert as_json["message"] == "call"
    assert {name: as_json[name] for name in fields} == fields
    text = 'call ability=digest errcode=0 reported=true why="two \\"words\\"" none="" ms=1.5'
    assert OneLineFormatter("%(message)s").format(record) == text


@given(st.text(st.characters()), st.text(st.characters()))
def test_whatever_a_field_holds_a_record_is_one_line_that_parses(message: str, value: str) -> None:
    record = logging.LogRecord("any", logging.INFO, "", 0, Fields(message, {"value": value}), None, None)
    for formatter in (JsonFormatter(), OneLineFormatter()):
        line = formatter.format(record)
        assert len(line.encode().split(b"\n")) == 1
    parsed = json.loads(JsonFormatter().format(record))
    assert parsed["value"] == value.encode("utf-8", "replace").decode()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_only_a_terminal_gets_colours_and_not_with_no_color(monkeypatch: pytest.MonkeyPatch, no_color: str) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal, file = _Terminal(), io.StringIO()
    for output in (terminal, file):
        monkeypatch.setattr(sys, "stdout", output)
        setup_logging(development=True)
        logging.getLogger("wwspec_router.any").error("one\x1b[0m")
        logging.getLogger("wwspec_router.any").info("call  ok  5 ms", extra={"outcome": "ok"})
    coloured = terminal.getvalue()
    assert ("\x1b[31mone\\x1b[0m\x1b[0m\n" in coloured) == (not no_color)
    assert ("call  \x1b[32mok\x1b[0m  5 ms" in coloured) == (not no_color)
    assert ("\x1b" in coloured) == (not no_color)
    assert "\x1b" not in file.getvalue()


@pytest.mark.usefixtures("lines")
def test_what_is_not_ours_has_the_name_of_its_logger_in_development(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging(development=True)
    with about(7):
        logging.getLogger("abilities.shop").warning("one\ntwo")
        logging.getLogger("uvicorn.error").info("Waiting for application startup.")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}  WARN   #7         abilities\.shop: one\n {32}two\n", capsys.readouterr().out
    )


@pytest.mark.usefixtures("lines")
def test_an_error_without_a_text_does_not_fail_the_log_of_a_developer(capsys: pytest.CaptureFixture[str]) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError("mute")

    setup_logging(development=True)
    try:
        raise MuteError
    except MuteError:
        logging.getLogger("wwspec_router.any").exception("it failed")
    assert "MuteError: <exception str() failed>" in capsys.readouterr().out


def test_lines_of_a_traced_call_carry_its_trace_in_each_form() -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    written: list[str] = []
    record = logging.LogRecord("abilities.report", logging.INFO, "report.py", 1, "read", None, None)
    before = current_traceparent.set(f"00-{trace_id}-00f067aa0ba902b7-01")
    try:
        with about(7):
            text, as_json = OneLineFormatter().format(record), JsonFormatter().format(record)
            SdkLogHandler(lambda level, piece: written.append(piece)).emit(record)
    finally:
        current_traceparent.reset(before)
    assert text.endswith(f" #7 trace_id={trace_id} read")
    assert json.loads(as_json)["trace_id"] == trace_id
    assert written == [f"#7 trace_id={trace_id} INFO abilities.report read"]
    outside = OneLineFormatter().format(record) + JsonFormatter().format(record)
    assert "trace_id" not in outside
    assert "#" not in outside


def test_a_developer_is_shown_the_beginning_of_a_long_error_and_all_of_its_place() -> None:
    try:
        raise ValueError("x" * 5_000_000)
    except ValueError as error:
        shown = traceback_of(error)
    assert len(shown) < 11_000
    assert 'raise ValueError("x" * 5_000_000)' in shown
    assert shown.endswith("xxx… (5000013 characters)")
