"""What WeCom answers an app, except the replies of programs; keys that are not here are ignored."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from wwspec_client.errors import ReplyTypeError
from wwspec_contracts.decoding import convert

T = TypeVar("T")

LogLevel = Literal[1, 2, 3]
"""1 ERR, 2 INFO, 3 DBG [100106]."""


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


def read_answer(type_: type[T], answer: dict[str, Any]) -> T:
    """Return an answer as its type. WeCom's pages disagree on some flags and times: "1", 1 and true are all read."""
    try:
        return convert(answer, type_, strict=False)
    except msgspec.ValidationError as error:
        text = msgspec.json.encode(answer).decode()
        raise ReplyTypeError(type_.__name__, f"the answer is not as documented: {error}", text) from None
