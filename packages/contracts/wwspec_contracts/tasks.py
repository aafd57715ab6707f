"""What the analysis tasks have in common: messages go in with their keys, a jobid comes out, then a result.

A task names messages, WeCom analyses their content where it is stored, and the program polls for the result by
jobid.
"""

from enum import IntEnum
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, Output, PolledOutput, TaskRequest, UnsetType
from wwspec_contracts.messages import MsgType

ANALYSIS_FAILED = 710633
"""What WeCom's table of errcodes says of an analysis that failed."""


ANALYSED_KINDS = (MsgType.TEXT, MsgType.VOICE, MsgType.AUDIO_ARCHIVE)
"""The kinds of message that tasks take."""


class TaskStatus(IntEnum):
    """The state of a task. Poll until it is no longer `RUNNING`; WeCom publishes no interval."""

    RUNNING = 0
    FINISHED = 1
    FAILED = 2


class EscapeType(IntEnum):
    """What is done with `"`, `/`, backslashes and control characters in text that fills a placeholder."""

    BLANK = 0
    """Each becomes a blank."""
    JSON = 1
    """They are written as JSON escapes."""


class EncryptInfo(Contract):
    """The key that lets WeCom read one message."""

    secret_key: str
    """Not encrypted: encrypted_secret_key of the message, opened with the app's RSA private key."""


class MessageKey(Contract):
    """One message to analyse: text, voice, or audio archive."""

    msgid: str
    """When given twice, the first one counts."""
    encrypt_info: EncryptInfo
    """The key that opens the message."""


MessageKeys = Annotated[list[MessageKey], Meta(max_length=1000)]
"""The messages of one task, at most 1000."""


RequestT = TypeVar("RequestT", bound=TaskRequest[Any, Any])


def halves(request: RequestT) -> list[RequestT]:
    """Split a task's request into two, each with half of the messages. For `split` of `Context.finish`.

    Args:
        request: The `Request` of an API that creates a task, with `msg_list`.

    Returns:
        Two requests; the request alone when it has fewer than two messages.

    Examples:
        >>> from wwspec_contracts import create_summary_task
        >>> from wwspec_contracts.tasks import EncryptInfo, MessageKey, halves
        >>> keys = [MessageKey(msgid=each, encrypt_info=EncryptInfo(secret_key="key")) for each in ("1", "2", "3")]
        >>> [len(part.msg_list) for part in halves(create_summary_task.Request(msg_list=keys))]
        [1, 2]
    """
    keys = getattr(request, "msg_list", UNSET)
    if isinstance(keys, UnsetType) or len(keys) < 2:
        return [request]
    middle = len(keys) // 2
    return [msgspec.structs.replace(request, msg_list=part) for part in (keys[:middle], keys[middle:])]


class TagGroup(Contract):
    """A group of customer tags."""

    group_id: str
    """A group of the corp's customer tags."""


class DebugInfo(Contract):
    """Replaces the messages' content in debug mode; the messages themselves are then ignored."""

    chat: str
    """Fills `{chat}`."""
    chat_content: str
    """Fills `{chatcontent}`."""


class MessageOutcome(Contract):
    """How the analysis of one message ended."""

    errcode: int = 0
    """0 = success; 710601 for an unknown msgid."""
    errmsg: str = ""
    """The text of the errcode."""
    msgid: str = ""
    """The message, as the task named it."""


class EncryptInfoEcho(Contract):
    """The key as the request gave it."""

    secret_key: str = ""
    """As the request has it."""


class RejectedMessage(MessageOutcome):
    """A message that a new task did not take."""

    encrypt_info: EncryptInfoEcho | UnsetType = UNSET
    """As the request has it."""


class TaskCreated(Output):
    """The reply of the create_..._task APIs."""

    jobid: str = ""
    """For the API that returns the result."""
    fail_list: list[RejectedMessage] = []
    """Messages given twice; other failures show in the result."""


class TagTaskCreated(TaskCreated):
    """The same where the request can name tag groups."""

    fail_tag_group_id_list: list[str] = []
    """Tag groups that don't exist."""


class PolledAnalysis(PolledOutput):
    """The reply of the APIs that poll one of WeCom's own analyses."""

    status: int = 0
    """A `TaskStatus`."""

    @property
    def is_running(self) -> bool:
        """Whether there is no result yet."""
        return self.status == TaskStatus.RUNNING

    @property
    def failure(self) -> tuple[int, str]:
        """The errcode and errmsg of an analysis that failed; WeCom's own errcode comes first where there is one."""
        failed = self.status == TaskStatus.FAILED
        return (self.errcode or ANALYSIS_FAILED, "the analysis failed") if failed else (0, "")


class TaskResult(PolledAnalysis):
    """The same for analyses that list the messages which they could not read."""

    fail_list: list[MessageOutcome] = []
    """Messages that could not be analysed."""


class ReportedResult(PolledOutput):
    """The reply of the APIs that poll a model or program of the developer's own.

    There is no status: a task that still runs answers with an errcode, such as 710642.
    """

    fail_list: list[MessageOutcome] = []
    """Messages that could not be analysed."""
    response_errcode: int = 0
    """The errcode that the model or program reported with program_async_job_call_back."""
    response_data: str = ""
    """The JSON text that it reported."""
