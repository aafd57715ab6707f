"""The one adapter over `wwspecapisdk`, and the only importer of that module.

The vendor's compiled module and the emulator's stand-in have the same name and the same calls, so both run this same
code [100057]. Without a module nothing starts, and no call is ever answered in plain text.
"""

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from wwspec_contracts.errcodes import ERRCODES
from wwspec_contracts.errors import DecodeError, SdkCallError, SdkUnavailableError
from wwspec_contracts.support.printable import error_text, short
from wwspec_router.config import SdkSource
from wwspec_router.entry_points import entry_points
from wwspec_router.envelope import Call
from wwspec_router.sdk.base import Headers, SealedReply

MODULE = "wwspecapisdk"
STANDIN = "wwspec.standin"
"""Group of entry points; the first names a `Path`: the folder of the emulator's module of the same name."""
_STANDIN_PACKAGE = "wwspec_standin"
"""What lies beside the emulator's module, wherever it was copied to."""

SUPPORTED_PYTHONS = ((3, 6), (3, 12))
"""CPython versions that the vendor compiles its module for [100057]."""

LONGEST_VERSION = 32
"""Characters of a version that are shown."""

_NAMES = ("WWToSpecHTTPReqDecoder", "WWToSpecHTTPRspConstructor", "ChatDataSDK", "spec_gen_notify_id")

RETURN_CODES = {code: row.cause for code, row in ERRCODES.items() if code < -1}
"""What the SDK's return codes mean [100052]."""

_CODE = r"(?<!\d)-100\d\d(?!\d)"


def load_sdk(source: SdkSource, app: Path) -> "VendorSdk":
    """Import the SDK module.

    Args:
        source: The vendor's module, or the emulator's stand-in.
        app: The application folder: the vendor's module is looked for in its `sdk/`, and then on sys.path.

    Raises:
        SdkUnavailableError: It is absent, does not load on this Python, or is not the one that was asked for.
    """
    folder = app.resolve() / "sdk"
    if source is SdkSource.VENDOR and folder.is_dir() and str(folder) not in sys.path:
        _search_first(folder)
    origin = _origin()
    if source is SdkSource.EMULATOR:
        if origin is not None and not _is_standin(origin):
            raise SdkUnavailableError(
                f"--sdk emulator was asked for, but {origin.name} is on sys.path at {origin.parent}: "
                "remove the vendor SDK from PYTHONPATH for development, or start with --sdk vendor"
            )
        if origin is None:
            _search_first(_standin_folder())
    else:
        _require_vendor(origin, folder)
    return VendorSdk(_import(), source)


def _search_first(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()


def _standin_folder() -> Path:
    for each in entry_points(STANDIN):
        folder: Path = each.load()
        return folder
    raise SdkUnavailableError(
        "--sdk emulator needs wwspec-devtools, which is not installed: install its wheel, or packages/devtools of the "
        "clone, of the same version"
    )


def _is_standin(origin: Path) -> bool:
    return (origin.parent / _STANDIN_PACKAGE).is_dir()


def _origin() -> Path | None:
    """Return where the module would be imported from; None when it is not found."""
    try:
        spec = importlib.util.find_spec(MODULE)
    except ValueError:  # imported already, but without a spec
        spec = None
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def _require_vendor(origin: Path | None, folder: Path) -> None:
    if origin is None:
        raise SdkUnavailableError(
            f"the vendor SDK {MODULE} is neither in {folder} nor on sys.path: put {MODULE}.so there "
            "(where to get it: WeCom document 100057), or start with --sdk emulator for development"
        )
    if _is_standin(origin):
        raise SdkUnavailableError(
            "only the emulator's stand-in is on sys.path, and it must not serve production: "
            f"put the vendor's {MODULE}.so into {folder} (WeCom document 100057), or start with --sdk emulator"
        )
    if origin.suffix == ".so" and sys.version_info[:2] not in SUPPORTED_PYTHONS:
        raise SdkUnavailableError(
            f"{MODULE}.so loads on CPython 3.12 (and 3.6) only, and this is "
            f"{sys.version_info.major}.{sys.version_info.minor}: "
            "start the program with Python 3.12 (WeCom document 100057)"
        )


def _import() -> Any:
    try:
        module = importlib.import_module(MODULE)
    except Exception as error:  # mostly ImportError, but a compiled module may raise anything
        missing = error.name if isinstance(error, ModuleNotFoundError) and error.name != MODULE else None
        fix = (
            "pip install 'wwspec-router[zone]'"
            if missing is not None and missing.startswith("Crypto")
            else "check that the file is complete and was built for this Python and machine (WeCom document 100057)"
        )
        raise SdkUnavailableError(
            f"{MODULE} does not load ({error_text(error) or type(error).__name__}): {fix}"
        ) from error
    if missing_names := [name for name in _NAMES if not hasattr(module, name)]:
        raise SdkUnavailableError(
            f"{MODULE} from {getattr(module, '__file__', 'an unknown file')} is not the SDK, or is too old: "
            f"it has no {', '.join(missing_names)} (WeCom document 100057)"
        )
    return module


class VendorSdk:
    """`Sdk` over a loaded module.

    Args:
        module: `wwspecapisdk`, the vendor's or the stand-in.
        source: Which of the two it is.
    """

    def __init__(self, module: Any, source: SdkSource = SdkSource.VENDOR) -> None:
        self._module = module
        self._decoder = module.WWToSpecHTTPReqDecoder
        self._constructor = module.WWToSpecHTTPRspConstructor
        self._chatdata = module.ChatDataSDK
        self.source = source
        self._trace = getattr(module, "spec_emulator_trace", None) if source is SdkSource.EMULATOR else None

    @property
    def description(self) -> str:
        """Which module was loaded."""
        if self.is_emulated:
            return f"the emulator's stand-in for {MODULE}: for development only"
        version = f"{self.version} " if self.version else ""
        return f"{MODULE} {version}from {getattr(self._module, '__file__', 'an unknown file')}"

    @property
    def version(self) -> str:
        """The first of the usual attributes that the module has; WeCom documents none."""
        found = (getattr(self._module, name, None) for name in ("__version__", "VERSION", "version"))
        return next((short(each, LONGEST_VERSION) for each in found if isinstance(each, str)), "")

    @property
    def is_emulated(self) -> bool:
        """Whether it is the stand-in; see `Sdk.is_emulated`."""
        return self.source is SdkSource.EMULATOR

    def decode(self, headers: Headers, body: str) -> Call:
        """Verify and decrypt one request; see `Sdk.decode`."""
        try:
            request = self._decoder(headers, body)
            call_type = int(request.get_call_type())
            from_app = call_type == 1
            is_async = from_app and bool(request.get_is_async())
            call = Call(
                corpid=request.get_corpid(),
                agentid=int(request.get_agentid()),
                call_type=call_type,
                ability_id=(request.get_ability_id() or "") if from_app else "",
                data=request.get_data() or "",
                notify_id=(request.get_notify_id() or "") if from_app else "",
                is_async=is_async,
                job_info=(request.get_job_info() or "") if is_async else "",
            )
            for text in (call.corpid, call.ability_id, call.data, call.notify_id, call.job_info):
                if not isinstance(text, str):
                    raise TypeError
            return call
        except BaseException as error:  # the SDK documents no class; after any error the request is refused
            text = f": {error_text(error)}" if self.is_emulated else ""
            raise DecodeError(detail=f"{type(error).__name__}{text}") from error

    def encode(self, text: str) -> SealedReply:
        """Sign and encrypt a reply; see `Sdk.encode`."""
        reply = self._constructor(text)
        return SealedReply(headers=reply.get_normal_header(), body=reply.get_encoded_body())

    def encode_refusal(self, text: str) -> SealedReply:
        """Seal a reply with the exception header; see `Sdk.encode_refusal`."""
        reply = self._constructor(text)
        return SealedReply(headers=reply.get_exception_header(), body=reply.get_encoded_body())

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "VendorClient":
        """Return a client for one corp and app; see `Sdk.client`."""
        return VendorClient(self._chatdata, (corpid, agentid, ability_id, job_info))

    def new_notify_id(self) -> str:
        """Return a fresh notify_id; see `Sdk.new_notify_id`."""
        try:
            notify_id = self._module.spec_gen_notify_id()
        except Exception as error:
            raise SdkCallError("spec_gen_notify_id", _return_code(error), type(error).__name__) from error
        if not (isinstance(notify_id, str) and notify_id):  # else two events of one id would overwrite each other
            raise SdkCallError("spec_gen_notify_id", None, "the SDK returned no notify_id")
        return notify_id

    def log(self, level: str, text: str) -> None:
        """Write one line to the SDK's log, stamped with the request that this thread decoded last [100057].

        Args:
            level: `error`, `info` or `debug`.
            text: At most 128 bytes are kept.
        """
        getattr(self._module, f"spec_log_{level}")(text)

    def trace(self, reference: str, text: str = "") -> None:
        """Report to the emulator what became of a request; see `Sdk.trace`."""
        if self._trace is not None:
            self._trace(reference, text)

    def open_debug_mode(self, debug_token: str, access_token: str) -> None:
        """Switch the SDK to debug mode [100083].

        Raises:
            SdkUnavailableError: The SDK refused the credentials.
        """
        fix = (
            "get a fresh debug_token from the admin page (valid 3 days) "
            "and a valid access_token (WeCom document 100083)"
        )
        try:
            opened = self._module.spec_open_debug_mode(debug_token, access_token)
        except Exception as error:
            raise SdkUnavailableError(f"the SDK could not open debug mode ({type(error).__name__}): {fix}") from error
        if opened is False:  # C++ and Java return bool; for Python the return value is not documented
            raise SdkUnavailableError(f"the SDK refused debug mode: {fix}")


class VendorClient:
    """`SdkClient` over `ChatDataSDK`, which is made at the first API call: some calls make none."""

    def __init__(self, chatdata: Any, identity: tuple[str, int, str, str]) -> None:
        self._chatdata = chatdata
        self._identity = identity
        self._sdk: Any = None

    def invoke(self, api: str, request: str) -> str:
        """Call one SDK API; see `SdkClient.invoke`."""
        try:
            if self._sdk is None:
                self._sdk = self._chatdata(*self._identity)
            method = getattr(self._sdk, api, None)
            if method is None:
                raise SdkCallError(api, -10006, "this SDK has no method of that name")
            reply = method(request)
        except SdkCallError:
            raise
        except Exception as error:  # the SDK documents no class
            code = _return_code(error)
            raise SdkCallError(api, code, RETURN_CODES.get(code or 0, type(error).__name__)) from error
        if not isinstance(reply, str):
            raise SdkCallError(api, None, f"the SDK returned {type(reply).__name__}, not str")
        return reply


def _return_code(error: Exception) -> int | None:
    """Return the documented return code in what the SDK raised, if there is one."""
    try:
        for each in (getattr(error, "code", None), *error.args):
            if isinstance(each, int) and each in RETURN_CODES:
                return each
        found = re.search(_CODE, str(error))
    except Exception:  # an exception of a compiled module may have no text
        return None
    return int(found[0]) if found else None
