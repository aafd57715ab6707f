"""`Secret`: what reads it, and what only shows its mask."""

import copy
import io
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from wwspec_router import Secret
from wwspec_router.logs.tracebacks import traceback_of

TEXT = "s3cret-of-the-test"


class Settings(msgspec.Struct):
    token: Secret


@pytest.fixture
def secret() -> Secret:
    return Secret(TEXT)


def test_only_reveal_returns_the_text(secret: Secret) -> None:
    assert secret.reveal() == TEXT
    assert type(secret.reveal()) is str


def test_whatever_writes_it_writes_the_mask(secret: Secret) -> None:
    written = [
        str(secret),
        f"{secret}",
        f"{secret:>3}",
        "%s" % secret,  # noqa: UP031 - as old code writes
        "".join([str(secret)]),
        json.dumps({"token": secret})[11:-2],
        msgspec.to_builtins(Settings(secret), enc_hook=str)["token"],
        pickle.loads(pickle.dumps(secret)).reveal(),  # noqa: S301 - our own
    ]
    assert {str(each) for each in written} == {"***"}
    assert repr(secret) == "Secret('***')"
    assert repr(Settings(secret)) == "Settings(token=Secret('***'))"
    assert TEXT.encode() not in pickle.dumps(secret)
    with pytest.raises(TypeError, match="Secret is unsupported"):
        msgspec.json.encode(Settings(secret))


def test_neither_log_lines_nor_tracebacks_with_locals_show_it(secret: Secret) -> None:
    stream = io.StringIO()
    log = logging.Logger("test")
    log.addHandler(logging.StreamHandler(stream))

    def fail(token: Secret, settings: Settings) -> None:
        raise ValueError(f"refused with {token} of {settings}")

    with pytest.raises(ValueError, match=r"refused with \*\*\*") as caught:
        fail(secret, Settings(secret))
    log.error("with %s and %r", secret, secret, exc_info=caught.value)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    shown += traceback_of(caught.value) + stream.getvalue()
    assert "token = Secret('***')" in shown
    assert TEXT not in shown


def test_secrets_are_compared_by_their_texts_and_equal_no_plain_text(secret: Secret) -> None:
    assert secret == Secret(TEXT)
    assert hash(secret) == hash(Secret(TEXT))
    assert secret != Secret("***")
    assert Secret("\udcff") != secret
    assert all(secret != plain for plain in (TEXT, "***"))
    assert not Secret("")


def test_a_copy_is_the_secret_itself(secret: Secret) -> None:
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"token": secret})["token"].reveal() == TEXT


def test_a_secret_is_a_text() -> None:
    with pytest.raises(TypeError, match=r"a secret is a str"):
        Secret(b"bytes")  # type: ignore[arg-type]
