"""What the fuzzer found, told as sentences; the inputs themselves are kept in torture/corpus."""

import json

import pytest

from tests.support.tables import for_each
from torture.fuzz_targets import AES_KEY, RECEIVER, TOKEN
from wwspec_contracts.base import UNSET, Contract, Output, UnsetType
from wwspec_contracts.callbacks import CallbackCrypto, CallbackError, CallbackReceiver
from wwspec_contracts.errors import OutputError
from wwspec_router.codecs.codec import OutputCodec, OutputPolicy


class Inner(Contract):
    value: int = 0


class Answer(Output):
    inner: Inner | UnsetType = UNSET


@for_each(['{"inner":3,"inner":{"value":1}}', '{"inner":{"x":1},"inner":{"value":1}}'])
def test_a_reply_in_which_a_key_comes_twice_leaves_with_the_one_that_fits(text: str) -> None:
    """The platform may read either of them, so the text itself must not pass."""
    fitting = OutputCodec(Answer, OutputPolicy.PRUNE).fit(text)
    assert fitting == '{"inner":{"value":1}}'
    with pytest.raises(OutputError):
        OutputCodec(Answer, OutputPolicy.STRICT).fit(text)


def test_a_reply_in_which_only_the_last_of_two_keys_does_not_fit_is_refused() -> None:
    with pytest.raises(OutputError, match=r"\$\.inner"):
        OutputCodec(Answer, OutputPolicy.PRUNE).fit('{"inner":{"value":1},"inner":3}')


@for_each(["timestamp", "nonce", "msg_signature", "echostr"])
def test_a_callback_with_a_lone_surrogate_anywhere_is_refused(part: str) -> None:
    crypto = CallbackCrypto(TOKEN, AES_KEY, RECEIVER)
    encrypted = crypto.encrypt("text")
    query = {**crypto.query(5, encrypted), "echostr": encrypted}
    receiver = CallbackReceiver(crypto)
    assert receiver.answer_echo(query) == "text"
    query[part] += "\ud800"
    with pytest.raises(CallbackError):
        receiver.answer_echo(query)
    with pytest.raises(CallbackError):
        receiver.open(query, f"<xml><Encrypt>{json.dumps(query[part])}</Encrypt></xml>")
