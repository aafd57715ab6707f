"""Figures that the reference of the emulator promises; which of its values are frozen, and which are made by name."""

from importlib import import_module
from typing import Any

from tests.support.tables import for_each
from tests.support.values import changing, made_by_name

PACKAGES = [
    f"wwspec_devtools.emulator.{name}" for name in "display http page program pytests scene settings state".split()
]
CHANGING = """
AnalysisTask App Authorisation Command Content Deliveries Delivery Entry Fault FaultSpec Hit Job JobReport KnowledgeBase
LinkedProgram Machine Notification Operation Rule Suite
"""
"""State, which the lock of the world guards."""
REQUESTS = """
ApplicableRange BankCards Customers Departments Emails Employees EncryptInfo ExcludedWords Groups Keyword Kinds
MessageKey Mobiles RuleBody Semantics SessionTypes VoiceTypes
_AppReply _AppRequest _ClockRequest _Inner _Program _ReportRequest _Request
"""
"""Parts of what was sent, as it is read."""
MADE_BY_NAME = """
AnalysisTask App Authorisation Caller Command Content Customer Delivery Employee EmulatorSettings Entry Exchange Export
Fault FaultSpec Group Job KnowledgeBase LinkedProgram Login Machine Masking MediaFile NewContent Notification PageLogin
Person Robot Rule Scene SceneGroup SceneMessage Selection Signature Suite _Link
"""


def test_what_is_neither_state_nor_a_request_is_frozen() -> None:
    assert changing(*PACKAGES) == {*CHANGING.split(), *REQUESTS.split()}


def test_what_has_many_fields_is_made_by_name() -> None:
    assert made_by_name(*PACKAGES) == {*MADE_BY_NAME.split()}


DAY, MIB = 86400, 1024 * 1024
FIGURES: dict[str, dict[str, Any]] = {
    "apis.chats": {"MAX_PAIRS": 100},
    "apis.doc_retrieval": {"MAX_KEYWORD_CHARACTERS": 300},
    "apis.knowledge": {"MAX_NAME_BYTES": 200, "MAX_URL_BYTES": 1024},
    "apis.message_search": {"MAX_SPAN_SECONDS": 31 * DAY},
    "apis.notify": {"MAX_NOTIFY_ID_BYTES": 64, "MAX_SCENE": 255},
    "apis.rules": {"MAX_CHATS": 2000},
    "appside.config": {"DEBUG_TOKEN_SECONDS": 3 * DAY},
    "appside.scope": {"EDITION": 3, "MSG_DURATION_DAYS": 180},
    "callbacks.delivery": {"TRIES": 3, "QUEUE_SIZE": 1000, "SHOWN": 200},
    "events.outbox": {"QUEUE_SIZE": 1000},
    "http.answering": {"MAX_BODY_BYTES": 10 * MIB},
    "http.stream": {"MAX_READERS": 32, "BATCH_ROWS": 2000, "BUSY_ROWS": 1000, "RETRY_MS": 1000, "PING_SECONDS": 15},
    "page.content": {"SHOWN_SECONDS": 90 * DAY},
    "page.login_page": {"MAX_STATE_BYTES": 128},
    "platform": {"MAX_ADVANCE": 3650 * DAY, "SHOWN_PATH": 64, "KEY_MISMATCH": -10008, "UNSUPPORTED_API": -10006},
    "program.programs": {"MODEL_SECONDS": 5, "CONNECTIONS": 512},
    "scene": {"WINDOW_SECONDS": 5 * DAY, "RECENT_SECONDS": 3600},
    "settings": {"MAX_CORPS": 20},
    "state.accounts": {"ACCESS_TOKEN_SECONDS": 7200},
    "state.authorisations": {"PERMISSION_SECONDS": 90 * DAY, "REMINDER_SECONDS": 7 * DAY},
    "state.corps": {"MEDIA_SECONDS": 3 * DAY, "MAX_PAGE_CALLS": 10, "MAX_TASKS": 10_000, "MAX_JUDGED": 100_000},
    "state.deliveries": {"KEPT_DELIVERIES": 1000},
    "state.exports": {"JOBID_SECONDS": DAY, "KEPT_CODES": 100_000, "KEPT_JOBS": 10_000, "MAX_MARKS": 100_000}
    | {"MAX_EXPORTS": 1000, "WAITING_SECONDS": 1, "RUNNING_SECONDS": 2},
    "state.jobs": {"KEPT_JOBS": 10_000},
    "state.knowledge": {"MAX_BASES": 1000, "MAX_CONTENTS": 1000, "KEPT_DELETED": 1000, "LEARN_SECONDS": 2},
    "state.logins": {"MAX_CODE_BYTES": 512, "SECONDS": {"code": 300, "user_ticket": 1800, "user_doc_ticket": 30 * DAY}},
    "state.machines": {"MOST_PROCESSES": 64, "ORDER_SECONDS": 60},
    "state.page_logins": {"LOGIN_SECONDS": DAY // 2},
    "state.page_tickets": {"TICKET_SECONDS": 7200, "PER_CORP": 400, "PER_APP": 100, "HOUR_SECONDS": 3600},
    "state.rules": {"MAX_RULES": 500, "MAX_WORD": 32},
    "state.starts": {"HOLD_SECONDS": 10},
    "state.suites": {"SUITE_TOKEN_SECONDS": 7200, "PRE_AUTH_SECONDS": 1200, "AUTH_CODE_SECONDS": 600}
    | {"TICKET_EVERY": 600, "TICKET_SECONDS": 1800},
    "state.tasks": {"MAX_MESSAGES": 1000, "MAX_CHARACTERS": 30_000, "KEPT_TASKS": 100_000, "TASK_SECONDS": 2},
    "state.tickets": {"EVENT_TOKEN_SECONDS": 600, "NOTIFY_ID_SECONDS": 600, "PULL_WINDOW_SECONDS": 60},
    "state.timers": {"MAX_WAITING": 100_000},
    "state.traffic.record": {"KEPT_ENTRIES": 10_000},
    "state.traffic.traces": {"KEPT_TRACES": 16, "MAX_TEXT": 16_384, "MAX_LINES": 200, "MAX_FRAMES": 100},
    "state.world": {"ARCHIVE_SECONDS": 335 * DAY, "TRIAL_SECONDS": 29 * DAY},
}
MOST_MIB = {
    "KEPT_BYTES": {"conversations": 128, "exports": 128, "jobs": 64, "keys": 64, "logins": 16, "machines": 4}
    | {"page_logins": 4, "tasks": 64, "tickets": 16, "traffic.record": 128},
    "MAX_BYTES": {"knowledge": 64, "rules": 16},
    "MAX_FILE_BYTES": {"exports": 64},
    "CONSENT_BYTES": {"corps": 16},
    "MEDIA_BYTES": {"corps": 128},
    "KEPT_HIT_BYTES": {"rules": 32},
    "MAX_BODY_BYTES": {"traffic.entries": 1},
}


@for_each(MOST_MIB.items())
def test_what_is_kept_is_bounded_in_bytes(name: str, mib: dict[str, int]) -> None:
    found = {module: import_module(f"wwspec_devtools.emulator.state.{module}") for module in mib}
    assert {module: getattr(each, name) / MIB for module, each in found.items()} == mib


@for_each(FIGURES)
def test_the_figures_are_the_promised_ones(module: str) -> None:
    found = vars(import_module(f"wwspec_devtools.emulator.{module}"))
    assert {name: found[name] for name in FIGURES[module]} == FIGURES[module]
