"""What every `TokenStore` does."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from wwspec_client.running import run_steps
from wwspec_client.steps import Alone, Ask, Pause, Step
from wwspec_client.stores import Request, Steps, StoredTokenProvider, Token, TokenStore
from wwspec_devtools.testing.stores.rig import Loop, Suite

T = TypeVar("T")


class _NoTokenError(Exception):
    """WeCom gives no token."""


class WeCom:
    """Gives a new token for each request.

    Args:
        call: Gives the results of the provider's functions.
    """

    def __init__(self, call: Loop) -> None:
        self._call = call
        self._lock = threading.Lock()
        self.given: list[str] = []
        self.expires_in = 7200
        self.fails = False

    def run(self, steps: Steps[T]) -> T:
        """Run steps of a provider, and return what they return."""
        return run_steps(steps, self._do)

    def fetch(self, request: Request) -> Steps[dict[str, Any]]:
        """Answer a request; what a provider is given."""
        yield Pause(0.0)
        if self.fails:
            raise _NoTokenError
        with self._lock:
            self.given.append(token := f"token-{len(self.given) + 1}")
        return {"access_token": token, "suite_access_token": token, "expires_in": self.expires_in}

    def _do(self, step: Step) -> Any:
        match step:
            case Ask():
                return self._call(step.function())
            case Alone():
                return self.run(step.work())
            case Pause():
                return threading.Event().wait(step.seconds)
        raise NotImplementedError(f"a provider sends requests by the function that it is given, not by {step}")


class _Source:
    """Asks WeCom for a token."""

    def fetch(self, fetch: Any) -> Steps[Token]:
        answer = yield from fetch(Request("gettoken"))
        return Token(answer["access_token"], answer["expires_in"])


class TokenStoreSuite(Suite):
    """What every store of tokens does; its fixture is `open_store`.

    `open_store` returns a function. Each call returns one more store of the same tokens, such as another machine has.
    None is stored at first.
    """

    @pytest.fixture
    def open_provider(self, open_store: Callable[[], Any]) -> Callable[[], StoredTokenProvider]:
        """Return a function that returns the source of tokens of one more machine."""
        return lambda: StoredTokenProvider(_Source(), open_store(), name="corp")

    @pytest.fixture
    def providers(self, open_provider: Callable[[], Any]) -> list[Any]:
        """Return the sources of two machines."""
        return [open_provider(), open_provider()]

    @pytest.fixture
    def wecom(self, call: Loop) -> WeCom:
        """Return what gives tokens."""
        return WeCom(call)

    def test_a_token_is_read_as_it_was_saved_with_the_seconds_that_are_left(
        self, open_store: Callable[[], TokenStore], call: Loop
    ) -> None:
        one, other = open_store(), open_store()
        for value in ("first", "token" * 400):
            call(one.save("corp", Token(value, 7200.0, "owner")))
            found = call(other.load("corp"))
            assert found is not None
            assert found.expires_in is not None
            assert 7000 < found.expires_in < 7200
            assert found == Token(value, found.expires_in, "owner")
        call(one.save("corp", Token("third")))
        assert call(other.load("corp")) == Token("third")

    def test_names_that_differ_in_anything_are_of_two_tokens(
        self, open_store: Callable[[], TokenStore], call: Loop
    ) -> None:
        store, names = open_store(), ["corp", "Corp", "corp ", "c" * 255]
        for name in names:
            call(store.save(name, Token(name)))
        assert [call(store.forget("corp")) for _ in range(2)] == [True, False]
        assert [call(store.load(name)) for name in names] == [None, *(Token(name) for name in names[1:])]

    def test_machines_share_one_token(self, providers: list[StoredTokenProvider], wecom: WeCom) -> None:
        tokens = [wecom.run(each.fetch(wecom.fetch)) for each in [*providers, *providers]]
        assert [each.value for each in tokens] == ["token-1"] * 4
        assert wecom.given == ["token-1"]

    def test_a_token_says_how_long_it_is_used(self, providers: list[StoredTokenProvider], wecom: WeCom) -> None:
        for each in providers:
            expires_in = wecom.run(each.fetch(wecom.fetch)).expires_in
            assert expires_in is not None
            assert 3600 < expires_in <= 7200

    def test_a_refused_token_is_replaced_once_for_all(self, providers: list[StoredTokenProvider], wecom: WeCom) -> None:
        one, other = providers
        wecom.run(one.fetch(wecom.fetch))
        replaced = [wecom.run(each.fetch_other(wecom.fetch, "token-1")).value for each in (one, other, one)]
        assert replaced == ["token-2"] * 3
        assert wecom.run(other.fetch(wecom.fetch)).value == "token-2"
        assert wecom.given == ["token-1", "token-2"]

    def test_a_refused_token_that_is_not_stored_any_more_replaces_none(
        self, providers: list[StoredTokenProvider], wecom: WeCom
    ) -> None:
        wecom.run(providers[0].fetch(wecom.fetch))
        assert wecom.run(providers[1].fetch_other(wecom.fetch, "an older one")).value == "token-1"

    def test_a_token_that_has_expired_is_not_used(self, providers: list[StoredTokenProvider], wecom: WeCom) -> None:
        wecom.expires_in = 0
        wecom.run(providers[0].fetch(wecom.fetch))
        assert wecom.run(providers[1].fetch(wecom.fetch)).value == "token-2"

    def test_an_error_is_not_kept(self, providers: list[StoredTokenProvider], wecom: WeCom) -> None:
        one, other = providers
        wecom.fails = True
        for each in providers:
            with pytest.raises(_NoTokenError):
                wecom.run(each.fetch(wecom.fetch))
        wecom.fails = False
        assert wecom.run(one.fetch(wecom.fetch)).value == "token-1"
        wecom.fails = True
        with pytest.raises(_NoTokenError):
            wecom.run(other.fetch_other(wecom.fetch, "token-1"))
        wecom.fails = False
        assert wecom.run(one.fetch_other(wecom.fetch, "token-1")).value == "token-2"

    def test_many_threads_get_a_token_that_is_not_the_refused_one(
        self, open_provider: Callable[[], StoredTokenProvider], wecom: WeCom
    ) -> None:
        refused = ""

        def renew(_: int) -> Token:
            provider = open_provider()
            steps = provider.fetch_other(wecom.fetch, refused) if refused else provider.fetch(wecom.fetch)
            return wecom.run(steps)

        for _ in range(self.rounds):
            found = {token.value for token in self.together(renew)}
            assert found <= set(wecom.given)
            assert refused not in found
            refused = wecom.run(open_provider().fetch(wecom.fetch)).value
