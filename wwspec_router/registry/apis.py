"""The SDK APIs of a program: how handlers call each, and those that WeCom has added after this release.

A handler names an API by the type of its request. The console examples of a row are the contract of a new API.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.errors import LoaderError, did_you_mean
from wwspec_router.codecs.from_example import contract_of_file
from wwspec_router.handlers.base import ApiCodec
from wwspec_router.registry.file import AbilityRow, Registry
from wwspec_router.registry.loader import ApiContract, Application

API_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""The name of an SDK API, which is a method of the SDK."""


class ExampleContract(ApiContract):
    """The contract of an SDK API by the examples that a row of the registry file names.

    Args:
        ability_id: Of the row.
        row: Names an API and both files.
        application: Has the files.

    Raises:
        LoaderError: A file can't be read, or holds no JSON object that can be a contract.
    """

    def __init__(self, ability_id: str, row: AbilityRow, application: Application) -> None:
        super().__init__("", row.api or "", is_own=True)
        self.declared_by = ability_id
        self.files = (row.input or "", row.output or "")
        request, response = (contract_of_file(application.folder / file) for file in self.files)
        self._types = {"Request": request, "Response": response}

    def _type(self, attribute: str, base: type[Any]) -> Any:
        return self._types[attribute]


def add_new_apis(registry: Registry, application: Application, contracts: dict[str, ApiContract]) -> Iterator[str]:
    """Add the contract of each API that has none and that a row gives both examples of; yield the faults of such rows.

    Of several rows of one API the first one is the contract, of which those of the others are parts.
    """
    for ability_id, row in registry.abilities.items():
        if row.api is None or row.api in contracts or row.input is None or row.output is None:
            continue
        place = registry.place("abilities", ability_id)
        if not API_NAME.fullmatch(row.api):
            yield f"{place}: api: the name of an SDK API has small letters, digits and _, such as get_doc_content"
            continue
        try:
            contracts[row.api] = ExampleContract(ability_id, row, application)
        except LoaderError as error:
            yield f"{place}: SDK API {row.api} has no contract but its examples: {error}"


def unknown_api(api: str, known: Collection[str]) -> str:
    """Return that an SDK API has no contract, and the fix."""
    examples = "the files of its examples as input and output of a row"
    fix = f"correct the name, or add its contract: {examples}, or schemas/api/{api}.py"
    return f"SDK API {api} has no contract; {did_you_mean(api, known, otherwise=fix)}"


class RequestCodecs(dict[type[ApiRequest[Any]], ApiCodec]):
    """How an API is called, by its `Request`; the entry of a shipped contract is made when it is first needed.

    Args:
        codecs: How the API of each contract is called. Shipped contracts that the application replaces are included: a
            handler that imports one gets the reply of that contract.
    """

    def __init__(self, codecs: dict[ApiContract, ApiCodec]) -> None:
        super().__init__({each.request: codec for each, codec in codecs.items() if each.is_own})
        self._by_module = {each.module: (each, codec) for each, codec in codecs.items()}

    def __missing__(self, request: type[ApiRequest[Any]]) -> ApiCodec:
        contract, codec = self._by_module.get(request.__module__, (None, None))
        if contract is None or codec is None or contract.request is not request:
            name = f"{request.__module__}.{request.__name__}"
            raise TypeError(f"{name} is not the Request of a known SDK API, such as get_group_chat.Request")
        return self.setdefault(request, codec)
