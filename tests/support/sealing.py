"""Replies as a program seals them, for tests that play the program."""

from wwspec_devtools.emulator.standin.wwspec_standin import seal


def seal_reply(key: bytes, text: str, request_id: str, timestamp: int, *, exception: bool = False) -> seal.Sealed:
    body = seal.encrypt(key, text)
    return seal.Sealed(seal.reply_headers(key, body, request_id, timestamp, exception=exception), body)
