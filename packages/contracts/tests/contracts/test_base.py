"""What the bases of contracts say about them."""

import pytest

from wwspec_contracts.base import ApiRequest, reply_type


def test_a_request_without_a_reply_is_refused() -> None:
    class Request(ApiRequest):  # type: ignore[type-arg]
        pass

    with pytest.raises(TypeError, match=r"Request is not a subclass of ApiRequest\[Response\]"):
        reply_type(Request)
