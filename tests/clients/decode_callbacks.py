"""Published decoders of callbacks: they open what is given to them, and seal as WeCom would.

usage: decode_callbacks.py wechatpy|werobot TOKEN ENCODING_AES_KEY RECEIVE_ID    a line of JSON in, a line of JSON out:
{"seal": TEXT}                                              {"encrypt", "msg_signature", "timestamp", "nonce"}
{"open": {"encrypt", "msg_signature", "timestamp", "nonce"}}    {"text"}, or {"refused": the error's name}
"""

import json
import re
import sys
from typing import Any

library, token, key, receive_id = sys.argv[1:]


def decoder() -> Any:
    if library == "wechatpy":
        from wechatpy.enterprise.crypto import WeChatCrypto

        return WeChatCrypto(token, key, receive_id)
    from werobot.crypto import MessageCrypt

    return MessageCrypt(token, key, receive_id)


def seal(text: str) -> dict[str, str]:
    if library == "wechatpy":
        xml = crypt.encrypt_message(text, "nonce-1")
    else:
        xml = crypt.encrypt_message(text, nonce="nonce-1")
    names = {"encrypt": "Encrypt", "msg_signature": "MsgSignature", "timestamp": "TimeStamp", "nonce": "Nonce"}
    found = {key: re.search(rf"<{name}>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</{name}>", xml) for key, name in names.items()}
    return {key: match[1] for key, match in found.items() if match}


def opened(sealed: dict[str, str]) -> dict[str, str]:
    encrypt, signature, timestamp, nonce = (sealed[each] for each in ("encrypt", "msg_signature", "timestamp", "nonce"))
    try:
        if library == "wechatpy":
            text = crypt.decrypt_message({"Encrypt": encrypt}, signature, timestamp, nonce)
        else:
            text = crypt.decrypt_message(timestamp, nonce, signature, encrypt)
    except Exception as error:
        return {"refused": type(error).__name__}
    return {"text": text.decode() if isinstance(text, bytes) else text}


crypt = decoder()
for line in sys.stdin:
    request = json.loads(line)
    answer = seal(request["seal"]) if "seal" in request else opened(request["open"])
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
