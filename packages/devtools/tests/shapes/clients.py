"""SDK clients whose answers a test chooses."""

import json
from collections.abc import Callable
from typing import Any

from wwspec_router.sdk.base import SdkClient

Answer = dict[str, Any]


class Scripted:
    """Answers each API with what a function returns: a JSON value, a text as it is, or an error that is raised."""

    def __init__(self, answer: Callable[[str, Answer], object]) -> None:
        self._answer = answer
        self.asked: list[tuple[str, Answer]] = []

    def invoke(self, api: str, request: str) -> str:
        self.asked.append((api, json.loads(request)))
        answer = self._answer(api, json.loads(request))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, str) else json.dumps(answer)


def changed(client: SdkClient, api: str, change: Callable[[Answer], object]) -> Scripted:
    """Return a client like another one, but that one API answers something else."""

    def answer(name: str, request: Answer) -> object:
        text = client.invoke(name, json.dumps(request))
        return change(json.loads(text)) if name == api else text

    return Scripted(answer)
