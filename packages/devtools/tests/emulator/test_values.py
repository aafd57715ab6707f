"""What the emulator hands from one thread to another is frozen, and what has many fields is made by name."""

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
