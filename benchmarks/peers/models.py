"""The contract of `sync_msg` as pydantic models, for FastAPI."""
# mypy: disable-error-code="import-not-found, misc"

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Refuses unknown keys, as the contracts in `wwspec_contracts` do."""

    model_config = ConfigDict(extra="forbid")


class SyncMsgRequest(Model):
    """As `wwspec_contracts.sync_msg`, Request."""

    cursor: Annotated[str, Field(max_length=128)] | None = None
    token: Annotated[str, Field(max_length=128)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    mode: Annotated[int, Field(ge=0, le=2)] | None = None
    begin_time: int | None = None


class Party(Model):
    """A sender or a receiver."""

    type: int = 0
    id: str = ""


class ServiceEncryptInfo(Model):
    """The sealed key of one message."""

    encrypted_secret_key: str = ""
    public_key_ver: int = 0


class ExtraInfo(Model):
    """What only some kinds of message carry."""

    call_duration: int = 0


class Message(Model):
    """One conversation record."""

    msgid: str = ""
    sender: Party | None = None
    receiver_list: list[Party] = []
    chatid: str = ""
    send_time: int = 0
    msgtype: int = 0
    service_encrypt_info: ServiceEncryptInfo | None = None
    extra_info: ExtraInfo | None = None


class SyncMsgResponse(Model):
    """As `wwspec_contracts.sync_msg`, Response."""

    errcode: int = 0
    errmsg: str = "ok"
    has_more: int = 0
    next_cursor: str = ""
    msg_list: list[Message] = []
    page_id_list: list[str] = []
