"""What WeCom answers an app, except the replies of programs; keys that are not here are ignored.

What a client tells by itself is here, too: the state of a call, a gap in the messages, the answer to a callback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from wwspec_client.errors import ReplyTypeError
from wwspec_contracts.decoding import convert

__all__ = [
    "AuthAgent",
    "AuthEdition",
    "AuthInfo",
    "AuthScope",
    "AuthUser",
    "AuthUsers",
    "CorpAuth",
    "CorpInfo",
    "DocAuth",
    "DocAuthUser",
    "DocAuthUsers",
    "HttpAnswer",
    "LogLevel",
    "Masking",
    "MessageGap",
    "PageConfig",
    "PageSignature",
    "Privilege",
    "TaskStatus",
    "UploadedMedia",
    "UserInfo",
]

T = TypeVar("T")

LogLevel = Literal[1, 2, 3]
"""1 ERR, 2 INFO, 3 DBG [100106]."""
TaskStatus = Literal["running", "succeeded", "failed"]
"""The state of an asynchronous call: `running` until the program reports its result."""


class AuthUser(msgspec.Struct, kw_only=True, frozen=True):
    """A member whose chats are archived."""

    userid: str = ""
    """The member's ID in the corp."""
    edition_list: list[int] = []
    """1 internal chats, 2 internal and external, 3 these and voice calls."""


class AuthUsers(msgspec.Struct, kw_only=True, frozen=True):
    """A page of members whose chats are archived [99846]."""

    auth_user_list: list[AuthUser] = []
    """The members of this page."""
    next_cursor: str = ""
    """The `cursor` of the next page."""
    has_more: bool = False
    """Whether more pages follow."""


class DocAuthUser(msgspec.Struct, kw_only=True, frozen=True):
    """A member whose documents are archived."""

    userid: str = ""
    """The member's ID in the corp."""


class DocAuthUsers(msgspec.Struct, kw_only=True, frozen=True):
    """A page of members whose documents are archived [101681]."""

    auth_user_list: list[DocAuthUser] = []
    """The members of this page."""
    next_cursor: str = ""
    """The `cursor` of the next page."""
    has_more: bool = False
    """Whether more pages follow."""


class Masking(msgspec.Struct, kw_only=True, frozen=True):
    """What the chat component hides from a member [100055]."""

    hide_mobile: bool = False
    """Mobile numbers."""
    hide_idcard: bool = False
    """Numbers of identity cards."""
    hide_bankno: bool = False
    """Numbers of bank cards."""


class AuthScope(msgspec.Struct, kw_only=True, frozen=True):
    """Whom an authorisation covers."""

    userid_list: list[str] = []
    """The IDs of members."""
    department_id_list: list[int] = []
    """The IDs of departments."""
    tag_id_list: list[int] = []
    """The IDs of tags of members."""


class AuthEdition(msgspec.Struct, kw_only=True, frozen=True):
    """One edition that the corp has authorised."""

    edition: int = 0
    """1 internal chats, 2 internal and external, 3 these and voice calls."""
    auth_scope: AuthScope = AuthScope()
    """Whom it covers."""
    status: int = 0
    """1 trial, 2 trial over, 3 paid, 4 paid over, 5 free, 6 free over, 7 paid and not yet started."""
    begin_time: int = 0
    """Unix seconds; 0 when absent."""
    end_time: int = 0
    """Unix seconds; 0 when absent."""
    msg_duration_days: int = 0
    """Days for which chats are archived."""
    auth_user_count: int = 0
    """The number of different persons whom it covers."""


class CorpAuth(msgspec.Struct, kw_only=True, frozen=True):
    """The corp's chat-data authorisation [100237]."""

    auth_edition_list: list[AuthEdition] = []
    """Each edition that the corp has authorised."""


class DocAuth(msgspec.Struct, kw_only=True, frozen=True):
    """The corp's document-archive authorisation [101488]."""

    status: int = 0
    """1 on trial, 2 trial over."""
    auth_scope: AuthScope = AuthScope()
    """Whom it covers."""
    begin_time: int = 0
    """Unix seconds; 0 when absent."""
    end_time: int = 0
    """Unix seconds; 0 when absent."""
    auth_user_count: int = 0
    """The number of persons whom it covers."""


class UploadedMedia(msgspec.Struct, kw_only=True, frozen=True):
    """A temporary file in the zone [100140]."""

    media_id: str
    """Valid 3 days, for this corp and app, and for APIs of the zone only."""
    created_at: int = 0
    """Unix seconds."""


@dataclass(frozen=True, kw_only=True)
class UserInfo:
    """Who has opened the page. `repr` leaves the tickets out.

    Attributes:
        user_ticket: For the member's private data, valid 30 minutes; only for a login of scope snsapi_privateinfo.
        user_doc_ticket: For `doc_retrieval_params` of `create_ww_model_task`, valid 30 days; only for an app with the
            document archive.
    """

    userid: str = ""
    """The member's ID in the corp; empty for somebody from outside."""
    user_ticket: str = field(default="", repr=False)
    user_doc_ticket: str = field(default="", repr=False)
    corpid: str = ""
    """The member's corp; only for a third-party app."""
    open_userid: str = ""
    """The member's ID in all apps of the provider; only for a third-party app."""
    openid: str = ""
    """The ID of somebody from outside."""
    external_userid: str = ""
    """The customer's ID, if the person from outside is one."""


class PageSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature of a page, as `getConfigSignature` and `getAgentConfigSignature` return it in JavaScript [90506]."""

    timestamp: int
    """Unix seconds."""
    nonce_str: str = msgspec.field(name="nonceStr")
    """A random text."""
    signature: str
    """SHA-1 in hexadecimal."""


class PageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What `ww.register` needs for one page. As JSON its names are those of JavaScript: `corpId`, `agentConfig`.

    `msgspec.json.encode` writes that JSON.
    """

    url: str
    """The page's address, as it was signed."""
    corp_id: str = msgspec.field(name="corpId")
    """The corp."""
    agent_id: int = msgspec.field(name="agentId")
    """The app."""
    config: PageSignature
    """With the corp's ticket."""
    agent_config: PageSignature = msgspec.field(name="agentConfig")
    """With the app's ticket."""


class CorpInfo(msgspec.Struct, kw_only=True, frozen=True):
    """The corp that has installed an app [100795]."""

    corpid: str = ""
    """The corp."""
    corp_name: str = ""
    """Its short name."""
    corp_full_name: str = ""
    """The name that WeCom has verified."""
    corp_type: str = ""
    """`verified`, or another word of WeCom's."""
    verified_end_time: int = 0
    """Unix seconds; 0 when absent."""
    subject_type: int = 0
    """1 company, 2 government or public body, 3 other organisation, 4 team."""
    corp_user_max: int = 0
    """The most members it may have."""
    corp_scale: str = ""
    """Its size, as WeCom words it."""


class Privilege(msgspec.Struct, kw_only=True, frozen=True):
    """Who sees the app, and what the app sees of the corp's contacts [100795]."""

    level: int = 0
    """The kind of permission for contacts."""
    allow_party: list[int] = []
    """Departments."""
    allow_user: list[str] = []
    """Members."""
    allow_tag: list[int] = []
    """Tags."""
    extra_party: list[int] = []
    """Departments that the app sees besides."""
    extra_user: list[str] = []
    """Members that the app sees besides."""
    extra_tag: list[int] = []
    """Tags that the app sees besides."""


class AuthAgent(msgspec.Struct, kw_only=True, frozen=True):
    """The app at the corp [100795]."""

    agentid: int = 0
    """Its number there."""
    name: str = ""
    """Its name there."""
    auth_mode: int = 0
    """0 the admin has authorised it, 1 a member."""
    is_customized_app: bool = False
    """Whether the provider develops it for the corp."""
    privilege: Privilege = Privilege()
    """Who sees it."""


class AuthAgents(msgspec.Struct, kw_only=True, frozen=True):
    """The apps of a suite at a corp."""

    agent: list[AuthAgent] = []
    """One."""


class AuthInfo(msgspec.Struct, kw_only=True, frozen=True):
    """What a corp has authorised [100795]."""

    corp: CorpInfo = msgspec.field(default=CorpInfo(), name="auth_corp_info")
    """The corp."""
    granted: AuthAgents = msgspec.field(default=AuthAgents(), name="auth_info")
    """The apps."""

    @property
    def agent(self) -> AuthAgent:
        """The app at the corp. A suite has one."""
        return self.granted.agent[0] if self.granted.agent else AuthAgent()


@dataclass(frozen=True)
class HttpAnswer:
    """The answer to a callback, for `handle_request`."""

    status: int
    """The status code of HTTP."""
    text: str = ""
    """The body, as plain text."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Others than `content-type`."""


@dataclass(frozen=True)
class MessageGap:
    """A time from which messages may be missing: no pull was made, and WeCom keeps records for 5 days [99824]."""

    since: datetime
    """UTC. The app has all messages from before."""
    until: datetime
    """UTC. Messages from after it can still be pulled."""


class LogLevelAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """Answer of `get_log_level`."""

    log_level: Annotated[int, Meta(ge=1, le=3)]


class MaskingAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """Answer of `get_hide_sensitiveinfo_config`."""

    config: Masking = Masking()


class DebugModeAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """Answer of `check_debug_mode`."""

    debug_mode_status: int
    """1 closed, 2 open."""


def read_answer(type_: type[T], answer: dict[str, Any], secret_of: str = "") -> T:
    """Return an answer as its type. WeCom's pages disagree on some flags and times: "1", 1 and true are all read.

    Args:
        type_: The type.
        answer: The answer.
        secret_of: The API, if no error may quote the answer.

    Raises:
        ReplyTypeError: It is not as documented.
    """
    try:
        return convert(answer, type_, strict=False)
    except msgspec.ValidationError as error:
        text = "" if secret_of else msgspec.json.encode(answer).decode()
        raise ReplyTypeError(secret_of or type_.__name__, f"the answer is not as documented: {error}", text) from None


class PermanentCode(msgspec.Struct, kw_only=True, frozen=True):
    """What `get_permanent_code` answers, in either form [90603, 100776]."""

    permanent_code: str
    auth_corp_info: CorpInfo
    auth_info: AuthAgents = AuthAgents()

    def __repr__(self) -> str:
        return f"PermanentCode({self.auth_corp_info.corpid!r})"


def read_permanent_code(api: str, answer: dict[str, Any]) -> PermanentCode:
    """Return an answer with a permanent_code; no error quotes it.

    Raises:
        ReplyTypeError: It is not as documented.
    """
    found = read_answer(PermanentCode, answer, secret_of=api)
    if not (found.permanent_code and found.auth_corp_info.corpid):
        raise ReplyTypeError(api, "the answer has no permanent_code or no corpid", "")
    return found
