"""What WeCom answers a suite; keys that are not here are ignored."""

from typing import Any

import msgspec
from msgspec import field

from wwspec_client.errors import ReplyTypeError
from wwspec_contracts.decoding import convert


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


class AuthInfo(msgspec.Struct, kw_only=True, frozen=True):
    """What a corp has authorised [100795]."""

    corp: CorpInfo = field(default=CorpInfo(), name="auth_corp_info")
    """The corp."""
    granted: "AuthAgents" = field(default_factory=lambda: AuthAgents(), name="auth_info")
    """The apps."""

    @property
    def agent(self) -> AuthAgent:
        """The app at the corp. A suite has one."""
        return self.granted.agent[0] if self.granted.agent else AuthAgent()


class AuthAgents(msgspec.Struct, kw_only=True, frozen=True):
    """The apps of a suite at a corp."""

    agent: list[AuthAgent] = []
    """One."""


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
    try:
        found = convert(answer, PermanentCode, strict=False)
    except msgspec.ValidationError as error:
        raise ReplyTypeError(api, f"the answer is not as documented: {error}", "") from None
    if not (found.permanent_code and found.auth_corp_info.corpid):
        raise ReplyTypeError(api, "the answer has no permanent_code or no corpid", "")
    return found
