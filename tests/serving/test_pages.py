"""What is answered beside the zone path."""

import httpx

from tests.serving.wire import Start
from tests.support.tables import for_each


@for_each(
    [
        ("GET", "/healthz", 200, {""}, "ok\n"),
        ("HEAD", "/healthz", 200, {""}, ""),
        ("POST", "/healthz", 405, {"GET", "HEAD"}, "Method Not Allowed"),
        ("GET", "/readyz", 200, {""}, "ok\n"),
        ("DELETE", "/readyz", 405, {"GET", "HEAD"}, "Method Not Allowed"),
        ("GET", "/healthz?verbose", 200, {""}, "ok\n"),
        ("GET", "/other", 404, {""}, "Not Found"),
        ("GET", "/", 405, {"POST"}, "the channel POSTs here\n"),
    ]
)
def test_each_page_answers_its_methods(
    method: str, path: str, status: int, allow: set[str], text: str, start: Start
) -> None:
    response = httpx.request(method, f"{start().url}{path}", trust_env=False)
    assert (response.status_code, response.text) == (status, text)
    assert set(response.headers.get("allow", "").split(", ")) == allow
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
