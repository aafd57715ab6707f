"""An SDK module that quotes everything in what it raises and answers, over the emulator's stand-in.

Copied under the vendor's name, so that the program takes it for the vendor's and also gives it its log lines.
"""

import json
import time
from typing import Any

from wwspec_devtools.emulator.standin.wwspec_standin import sdk as standin
from wwspec_devtools.emulator.standin.wwspec_standin.sdk import (
    spec_gen_notify_id as spec_gen_notify_id,
    spec_log_debug as spec_log_debug,
    spec_log_error as spec_log_error,
    spec_log_info as spec_log_info,
    spec_open_debug_mode as spec_open_debug_mode,
)

TRACED = "the vendor's module was told a trace"
FAILING = 13
"""The agentid of an app that can neither be notified nor get the report of a job."""


def spec_emulator_trace(*args: object) -> None:
    """Take what only the emulator may be told, and say so in the log."""
    spec_log_error(TRACED, *args)


class WWToSpecHTTPReqDecoder(standin.WWToSpecHTTPReqDecoder):
    def __init__(self, headers: list[tuple[str, str]], post_data: str) -> None:
        try:
            super().__init__(headers, post_data)
        except Exception as error:
            raise RuntimeError(f"can't decode {headers!r} {post_data}") from error


class WWToSpecHTTPRspConstructor(standin.WWToSpecHTTPRspConstructor):
    def __init__(self, reply_text: str) -> None:
        if "unsealable" in reply_text:
            raise SystemExit(reply_text)
        super().__init__(reply_text)


class ChatDataSDK(standin.ChatDataSDK):
    def sync_msg(self, request: str) -> str:
        cursor: Any = json.loads(request).get("cursor", "")
        match cursor.partition(":")[0]:
            case "raise":
                raise RuntimeError(f"{request} failed")
            case "code":
                raise RuntimeError(-10002, request)
            case "exit":
                raise SystemExit(request)
            case "garbage":
                return f"oops {request}"
            case "misfit":
                return json.dumps({"errcode": cursor})
            case "refuse":
                return json.dumps({"errcode": 710611, "errmsg": f"invalid cursor {cursor}"})
            case "slow":
                time.sleep(0.5)
        return json.dumps({"errcode": 0, "next_cursor": cursor, "added": {"by": cursor}})

    def spec_notify_app(self, request: str) -> str:
        self._fail(request)
        return '{"errcode":0}'

    def program_async_job_call_back(self, request: str) -> str:
        self._fail(request)
        return json.dumps({"errcode": 790014 if "misfit" in request else 0})

    def _fail(self, request: str) -> None:
        if self._caller[1] == FAILING:
            raise RuntimeError(f"{request} of {self._caller} failed")
