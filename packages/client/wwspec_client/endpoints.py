"""The documented APIs of the app's side, beside calls of abilities. Each function is a method of both clients.

Each raises `ZoneClientError`, and `ConfigurationError` where a program is needed and none is named. All may be sent
twice without harm, so they are retried after any failure.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from wwspec_client import calls, models
from wwspec_client.arguments import Timeout
from wwspec_client.core import Attempts, Core
from wwspec_client.errors import PlatformError, ZoneClientError
from wwspec_client.keys import KeyRing, KeyRingError
from wwspec_client.models import (
    AuthUser,
    AuthUsers,
    CorpAuth,
    DocAuth,
    DocAuthUser,
    DocAuthUsers,
    LogLevel,
    Masking,
    UploadedMedia,
    read_answer,
)
from wwspec_client.paging import Members
from wwspec_client.steps import Ask, File, Request, Steps
from wwspec_contracts import sync_msg
from wwspec_contracts.base import UNSET
from wwspec_contracts.errors import ConfigurationError

Progress = Callable[[int, int], None]
"""Called with the number of sent bytes, and that of the whole file."""

_MIN_BYTES, _MAX_BYTES = 6, 60 * 1024 * 1024
"""WeCom's bounds of an upload [100140]."""
_OPEN = 2
_LOWER_VERSION = 40212
ALL_AT_ONCE = 1000
"""The most members of a page."""


def set_public_key(core: Core, public_key: str, public_key_ver: int) -> Steps[None]:
    """Set the key that encrypts message keys [99845]. A corp's own app sets it in the admin console instead.

    Args:
        public_key: RSA-2048, as PEM.
        public_key_ver: Its version; larger than that of the key before.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    yield from _ask(core, "chatdata/set_public_key", public_key=public_key, public_key_ver=public_key_ver)


def ensure_public_key(core: Core, ring: KeyRing) -> Steps[None]:
    """Register the latest key of a ring, unless it is registered already: for the start of each process [99845].

    The processes of an app may all call it at the same moment, each with the same keys. WeCom has no API that
    returns the registered key, so the key is sent each time. When WeCom refuses its version as too low (40212), the
    key counts as registered only if the ring opens a message's key of this version; the program is asked for
    messages then.

    Args:
        ring: The app's private keys.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: The ring is empty, or it was not given the public key of its latest version.
        KeyMissingError: As in `KeyRing.public_key`.
    """
    version = ring.latest
    try:
        yield from set_public_key(core, ring.public_key(version), version)
    except PlatformError as error:
        if error.errcode != _LOWER_VERSION:
            raise
        if not (yield from _has_opened(core, ring, version)):
            hint = (
                f"WeCom has a key of version {version} or a later one, and no message shows that it is the ring's: "
                "load the newest keys in this process, or set a key of a larger version"
            )
            raise PlatformError(error.call, error.errcode, error.errmsg, hint) from error


def _has_opened(core: Core, ring: KeyRing, version: int) -> Steps[bool]:
    """Return whether the ring opens a message that WeCom has sealed with the key of a version."""
    ability = calls.ability_of(core, sync_msg.Request(limit=1000), None, Any)
    try:
        page: sync_msg.Response = yield from calls.call(core, ability, {"retry_unsafe": True}, raw=False)
    except (ZoneClientError, ConfigurationError):
        return False
    for message in reversed(page.msg_list):
        sealed = message.service_encrypt_info
        if sealed is not UNSET and sealed.public_key_ver == version:
            try:
                yield Ask(partial(ring.open, sealed))
            except KeyRingError:
                return False
            return True
    return False


def get_auth_user_list(core: Core, *, cursor: str = "", limit: int = 200) -> Steps[AuthUsers]:
    """Return a page of the members whose chats are archived [99846].

    Args:
        cursor: `next_cursor` of the page before; empty for the first one.
        limit: Members of a page, at most 1000.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    return read_answer(AuthUsers, (yield from _ask(core, "chatdata/get_auth_user_list", cursor=cursor, limit=limit)))


def set_receive_callback(core: Core, *, program_id: str = "") -> Steps[None]:
    """Choose the program that receives the app's events [99850]. An app has one such program; the latest call counts.

    Args:
        program_id: Another program than the client's.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: Neither the call nor the client names a program.
    """
    yield from _ask(core, "chatdata/set_receive_callback", program_id=core.program_of(program_id))


def set_hide_sensitiveinfo_config(core: Core, userid: str, config: Masking) -> Steps[None]:
    """Set what the chat component hides from a member [100055].

    Args:
        userid: The member.
        config: What is hidden.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    yield from _ask(core, "chatdata/set_hide_sensitiveinfo_config", userid=userid, config=config)


def get_hide_sensitiveinfo_config(core: Core, userid: str) -> Steps[Masking]:
    """Return what the chat component hides from a member [100055].

    Args:
        userid: The member.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    answer = yield from _ask(core, "chatdata/get_hide_sensitiveinfo_config", userid=userid)
    return read_answer(models.MaskingAnswer, answer).config


def set_log_level(core: Core, log_level: LogLevel, *, program_id: str = "") -> Steps[None]:
    """Set which lines of a program's log WeCom keeps: 1 ERR, 2 INFO, 3 DBG [100106].

    Args:
        log_level: 1, 2 or 3.
        program_id: Another program than the client's.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: Neither the call nor the client names a program.
    """
    yield from _ask(core, "chatdata/set_log_level", program_id=core.program_of(program_id), log_level=log_level)


def get_log_level(core: Core, *, program_id: str = "") -> Steps[LogLevel]:
    """Return which lines of a program's log WeCom keeps: 1 ERR, 2 INFO, 3 DBG [100106].

    Args:
        program_id: Another program than the client's.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: Neither the call nor the client names a program.
    """
    answer = yield from _ask(core, "chatdata/get_log_level", program_id=core.program_of(program_id))
    return cast(LogLevel, read_answer(models.LogLevelAnswer, answer).log_level)


def get_corp_auth_info(core: Core) -> Steps[CorpAuth]:
    """Return the corp's chat-data authorisation [100237]. Not for a corp's own apps.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    return read_answer(CorpAuth, (yield from _ask(core, "chatdata/get_corp_auth_info")))


def open_debug_mode(core: Core, debug_token: str, *, program_id: str = "") -> Steps[None]:
    """Send calls and events to the debug URL of the admin console [100083].

    Args:
        debug_token: The debug credential, valid for 3 days; the program gives it to the SDK first.
        program_id: Another program than the client's.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: Neither the call nor the client names a program.
    """
    program = core.program_of(program_id)
    yield from _ask(core, "chatdata/open_debug_mode", program_id=program, debug_token=debug_token)


def close_debug_mode(core: Core, *, program_id: str = "") -> Steps[None]:
    """Send calls and events to the zone again [100084].

    Args:
        program_id: Another program than the client's.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: Neither the call nor the client names a program.
    """
    yield from _ask(core, "chatdata/close_debug_mode", program_id=core.program_of(program_id))


def check_debug_mode(core: Core, *, program_id: str = "") -> Steps[bool]:
    """Return whether debug mode is open [100112].

    Args:
        program_id: Another program than the client's.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
        ConfigurationError: Neither the call nor the client names a program.
    """
    answer = yield from _ask(core, "chatdata/check_debug_mode", program_id=core.program_of(program_id))
    return read_answer(models.DebugModeAnswer, answer).debug_mode_status == _OPEN


def get_doc_auth_user_list(core: Core, *, cursor: str = "", limit: int = 200) -> Steps[DocAuthUsers]:
    """Return a page of the members whose documents are archived: `docdata/get_auth_user_list` [101882].

    The app needs the permission 「数据与智能专区-分析企业文件数据」, a provider's app the corp's second authorisation
    too.

    Args:
        cursor: `next_cursor` of the page before; empty for the first one.
        limit: Members of a page, at most 1000.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    return read_answer(DocAuthUsers, (yield from _ask(core, "docdata/get_auth_user_list", cursor=cursor, limit=limit)))


def get_doc_auth_info(core: Core) -> Steps[DocAuth]:
    """Return the corp's document-archive authorisation: `docdata/get_auth_info` [101488]. For third-party apps.

    Raises:
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    return read_answer(DocAuth, (yield from _ask(core, "docdata/get_auth_info")))


def upload_media(
    core: Core,
    file: Path | str | IO[bytes],
    *,
    name: str = "",
    progress: Progress | None = None,
    timeout: Timeout | None = None,
) -> Steps[UploadedMedia]:
    """Upload a temporary file to the zone [100140]. It is read and sent in parts, never held whole in memory.

    Args:
        file: A path, or an open binary file, which is read from its current position and stays open.
        name: Its name in the zone; the name of the file by default.
        progress: Called after each part with the bytes that are sent, and the bytes of the whole file.
        timeout: Seconds for one part; None means the client's.

    Raises:
        ConfigurationError: There is no such file, it has no name, or its size is not 6 bytes to 60 MiB.
        ZoneClientError: WeCom refuses the request, or can't be reached.
    """
    with _open(file, name, progress) as upload:
        request = Request("chatdata/upload_media", file=upload, query={"type": "file"})
        return read_answer(UploadedMedia, (yield from core.perform(request, Attempts(timeout=timeout))))


def auth_users(core: Core, limit: int) -> Members[AuthUser]:
    """Return the members whose chats are archived; see `ZoneClient.auth_users`."""
    return Members(lambda cursor: get_auth_user_list(core, cursor=cursor, limit=limit), "chatdata/get_auth_user_list")


def doc_auth_users(core: Core, limit: int) -> Members[DocAuthUser]:
    """Return the members whose documents are archived; see `ZoneClient.doc_auth_users`."""
    return Members(
        lambda cursor: get_doc_auth_user_list(core, cursor=cursor, limit=limit), "docdata/get_auth_user_list"
    )


def _ask(core: Core, api: str, **parameters: Any) -> Steps[dict[str, Any]]:
    given = {name: value for name, value in parameters.items() if value != ""}
    return core.perform(Request(api, msgspec.json.encode(given)))


class _Counted:
    """Reads a file from its current position, and reports how much was read. A retry starts again there."""

    def __init__(self, file: IO[bytes], progress: Progress | None) -> None:
        self._file = file
        self._progress = progress
        self._start = file.tell()
        self.size = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if data and self._progress is not None:
            self._progress(self.tell(), self.size)
        return data

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = self._start if whence == io.SEEK_SET else 0
        return self._file.seek(start + offset, whence) - self._start


@contextmanager
def _open(file: Path | str | IO[bytes], name: str, progress: Progress | None) -> Iterator[File]:
    """Give a file for an upload; one that was given by its path is closed afterwards.

    Raises:
        ConfigurationError: It can't be read, has no name, or is too small or too large.
    """
    if isinstance(file, Path | str):
        try:
            content = Path(file).open("rb")
        except OSError as error:
            raise ConfigurationError(f"{file}: can't be read: {error.strerror}") from None
        with content:
            yield _check_size(content, name or Path(file).name, progress)
    else:
        yield _check_size(file, name or Path(str(getattr(file, "name", ""))).name, progress)


def _check_size(file: IO[bytes], name: str, progress: Progress | None) -> File:
    if not name:
        raise ConfigurationError("the file has no name: give it as name=")
    counted = _Counted(file, progress)
    if not _MIN_BYTES <= counted.size <= _MAX_BYTES:
        raise ConfigurationError(f"{name}: has {counted.size} bytes; WeCom takes {_MIN_BYTES} bytes to 60 MiB")
    return File(name, cast(IO[bytes], counted))  # the part of a file's interface that a form needs
