"""Figures that the reference of the emulator promises; which of its values are frozen, and which are made by name."""

from importlib import import_module

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


DAY = 86400
FIGURES = {
    "apis.chats": {"MAX_PAIRS": 100},
    "apis.doc_retrieval": {"MAX_KEYWORD_CHARACTERS": 300},
    "apis.knowledge": {"MAX_NAME_BYTES": 200, "MAX_URL_BYTES": 1024},
    "apis.message_search": {"MAX_SPAN_SECONDS": 31 * DAY},
    "apis.notify": {"MAX_NOTIFY_ID_BYTES": 64, "MAX_SCENE": 255},
    "apis.rules": {"MAX_CHATS": 2000},
    "appside.config": {"DEBUG_TOKEN_SECONDS": 3 * DAY},
    "appside.scope": {"EDITION": 3, "MSG_DURATION_DAYS": 180},
    "page.login_page": {"MAX_STATE_BYTES": 128},
    "program.programs": {"MODEL_SECONDS": 5},
    "scene": {"WINDOW_SECONDS": 5 * DAY},
    "state.accounts": {"ACCESS_TOKEN_SECONDS": 7200},
    "state.authorisations": {"PERMISSION_SECONDS": 90 * DAY, "REMINDER_SECONDS": 7 * DAY},
    "state.corps": {"MEDIA_SECONDS": 3 * DAY, "MAX_PAGE_CALLS": 10},
    "state.deliveries": {"KEPT_DELIVERIES": 1000},
    "state.exports": {"JOBID_SECONDS": DAY, "KEPT_CODES": 100_000, "KEPT_JOBS": 10_000, "MAX_MARKS": 100_000},
    "state.jobs": {"KEPT_JOBS": 10_000},
    "state.knowledge": {"MAX_BASES": 1000, "MAX_CONTENTS": 1000},
    "state.logins": {"MAX_CODE_BYTES": 512},
    "state.page_logins": {"LOGIN_SECONDS": DAY // 2},
    "state.page_tickets": {"TICKET_SECONDS": 7200, "PER_CORP": 400, "PER_APP": 100},
    "state.rules": {"MAX_RULES": 500, "MAX_WORD": 32},
    "state.suites": {
        "SUITE_TOKEN_SECONDS": 7200,
        "PRE_AUTH_SECONDS": 1200,
        "AUTH_CODE_SECONDS": 600,
        "TICKET_EVERY": 600,
    },
    "state.tasks": {"MAX_MESSAGES": 1000, "MAX_CHARACTERS": 30_000, "KEPT_TASKS": 100_000},
    "state.tickets": {"EVENT_TOKEN_SECONDS": 600, "NOTIFY_ID_SECONDS": 600, "PULL_WINDOW_SECONDS": 60},
    "state.traffic.record": {"KEPT_ENTRIES": 10_000},
    "state.world": {"ARCHIVE_SECONDS": 335 * DAY, "TRIAL_SECONDS": 29 * DAY},
}


@for_each(FIGURES)
def test_the_figures_are_the_promised_ones(module: str) -> None:
    found = vars(import_module(f"wwspec_devtools.emulator.{module}"))
    assert {name: found[name] for name in FIGURES[module]} == FIGURES[module]
