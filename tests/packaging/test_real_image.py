"""The image of a new program, built by buildah, checked as a tar, and started from it with an empty environment."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.packaging.conftest import COMPILED, Archives, from_folder, run
from tests.support.apps import write_files
from tests.support.image_base import NAME, Storage
from tests.support.processes import finished
from tests.support.sdk import standin_as_vendor
from tests.support.waiting import DEADLINE, answers, wait_until
from wwspec_devtools.child import Child
from wwspec_devtools.testing.ports import held_ports

pytestmark = [
    pytest.mark.slow,  # debootstrap makes a Debian of 200 MB, buildah writes it as a layer and as a tar
    pytest.mark.usefixtures("storage"),  # the first, since it knows whether images can be built here
]

EXTRA = {
    "shop_extra.py": "PRICE = 1999\n",
    "shop_extra-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop_extra\nVersion: 1.0\n",
    "shop_extra-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "shop_extra-1.0.dist-info/RECORD": "shop_extra.py,,\n",
}
"""A package that the program needs besides the framework."""
PRICES = {
    "abilities/price.py": "import shop_extra\n"
    "from helpers.money import shown\n"
    "from schemas.price import Request, Response\n"
    "from wwspec_router import ability\n\n\n"
    "@ability\n"
    "def price(request: Request) -> Response:\n"
    "    return Response(price=shown(shop_extra.PRICE))\n",
    "schemas/price.py": "from wwspec_router import Contract, Output\n\n\n"
    "class Request(Contract):\n    article: str\n\n\n"
    'class Response(Output):\n    price: str = ""\n',
    "helpers/__init__.py": "",
    "helpers/money.py": 'def shown(cents: int) -> str:\n    return f"{cents / 100:.2f}"\n',
}
"""An ability that needs the package, and a folder of the program that no template knows."""
MODULE = """\
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "wwspecapisdk", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_wwspecapisdk(void) {
    PyObject *module = PyModule_Create(&definition), *imitation = PyImport_ImportModule("imitation");
    if (!module || !imitation) return NULL;
    return PyDict_Merge(PyModule_GetDict(module), PyModule_GetDict(imitation), 0) ? NULL : module;
}
"""
"""A compiled `wwspecapisdk` that has what `imitation.py` has."""
IMITATION = """\
import os
from pathlib import Path

os.environ["WWSPEC_EMULATOR_URL"] = (Path(__file__).parent / "url").read_text()
"""


@pytest.fixture(scope="module")
def shop(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new program with the framework's wheels, and all other packages beside them: the build may reach no index."""
    folder = tmp_path_factory.mktemp("image")
    run(sys.executable, "-m", "wwspec_router", "new", "shop", "--wheels", archives.folder, cwd=folder)
    shop = write_files(folder / "shop", PRICES)
    for name, text in {
        "requirements.txt": "shop-extra==1.0\n",
        ".dockerignore": "!helpers\n",
        "abilities/registry.toml": '\n[abilities.price]\nhandler = "abilities.price:price"\n',
    }.items():
        with (shop / name).open("a", encoding="utf-8") as file:
            file.write(text)
    (shop / ".env").write_text("SECRET=1\n", "utf-8")
    (shop / "notes.txt").write_text("private\n", "utf-8")
    wheels = shop / "wheels"
    with zipfile.ZipFile(wheels / "shop_extra-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in EXTRA.items():
            wheel.writestr(name, text)
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--find-links", wheels)
    run(*pip, "--dest", wheels, "--requirement", "requirements.txt", cwd=shop, env=os.environ | from_folder())
    return shop


def add_sdk(shop: Path) -> None:
    """Put a compiled module into sdk/ that speaks with the emulator."""
    sdk = shop / "sdk"
    vendor = standin_as_vendor(shop.parent / "vendor")
    (vendor / "vendor_parts").rename(sdk / "vendor_parts")
    (sdk / "imitation.py").write_text(IMITATION + (vendor / "wwspecapisdk.py").read_text("utf-8"), "utf-8")
    (sdk / "url").write_text("http://127.0.0.1:9", "utf-8")
    source = shop.parent / "module.c"
    source.write_text(MODULE, "utf-8")
    include = f"-I{sysconfig.get_paths()['include']}"
    run("gcc", "-shared", "-fPIC", include, source, "-o", sdk / "wwspecapisdk.so")


@pytest.fixture(scope="module")
def tar(shop: Path, storage: Storage) -> Path:
    add_sdk(shop)
    options = [*storage.limits, "--build-arg", "PIP_NO_INDEX=1"]
    command = (sys.executable, "-m", "wwspec_router", "image", "--engine", "buildah", "--base", NAME, "--", *options)
    [made] = run(*command, cwd=shop, env=storage.env).splitlines()
    return Path(made)


def test_the_tar_has_the_program_whole_and_nothing_of_the_developer_s(tar: Path) -> None:
    with tarfile.open(tar) as archive:
        names = {name.removeprefix("./").strip("/") for name in archive.getnames()}
    top = {name.split("/")[1] for name in names if name.startswith("app/")}
    assert top == {".venv", "abilities", "helpers", "run.sh", "schemas", "sdk", "var"}
    site = "app/.venv/lib/python3.12/site-packages"
    assert {f"{site}/shop_extra.py", f"{site}/wwspec_router/codecs/{COMPILED}"} <= names
    ours = {name.split("/")[5] for name in names if name.startswith(f"{site}/wwspec_")}
    assert {name.split("-")[0] for name in ours} == {"wwspec_contracts", "wwspec_router"}
    assert f"{site}/Crypto/SelfTest" not in names


def test_the_check_finds_no_fault(tar: Path) -> None:
    printed = run(sys.executable, "-m", "wwspec_router", "image", "--check", tar, cwd=Path("/"))
    states = [line.split()[:2] for line in printed.splitlines()]
    names = ("flat", "start", "Python", "checks", "registry", "SDK", "var", "secrets", "size")
    assert states == [["ok", name] for name in names]


@pytest.fixture(scope="module")
def root(tar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("root")
    run("tar", "--extract", "--numeric-owner", "--file", tar, "--directory", folder)
    yield folder
    shutil.rmtree(folder)


def in_root(root: Path, *command: str) -> list[str | Path]:
    chroot = shutil.which("chroot", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert chroot is not None
    return [chroot, root, *command]


def test_the_doctor_in_the_image_finds_all_that_production_needs(root: Path, port: str) -> None:
    command = in_root(root, "/app/.venv/bin/wwspec", "doctor", "--production", "--app", "/app", "--port", port)
    done = finished(*command, env={}, cwd="/")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    states = [line.split()[:2] for line in done.stdout.splitlines()]
    names = ("Python", "checks", "extra", "SDK", "settings", "port", "registry", "store")
    assert states == [["ok", name] for name in names]


@contextmanager
def started(root: Path, *command: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(in_root(root, *command), env={}, cwd="/", stdout=output, stderr=output)
    try:
        yield
        assert process.poll() is None
    finally:
        process.terminate()
        code = process.wait(DEADLINE)
        sys.stdout.write(log.read_text("utf-8"))  # pytest shows it when the test fails
    assert code == 0


STARTS: Mapping[str, tuple[str, ...]] = {
    "as the platform does": ("/bin/bash", "/app/run.sh"),
    "by sh": ("/bin/sh", "/app/run.sh"),
    "with four workers": ("/bin/bash", "/app/run.sh", "--workers", "4"),
}


@pytest.fixture
def port() -> Iterator[str]:
    with held_ports(1) as [port]:
        yield str(port)


@pytest.mark.parametrize("start", STARTS)
def test_the_program_answers_from_the_extracted_tar(root: Path, tmp_path: Path, port: str, start: str) -> None:
    program = f"http://127.0.0.1:{port}"
    emulator = Child(["emulate", "--port", "0", "--program-url", program], output=tmp_path / "emulator.log")
    try:
        url = emulator.announced_url()
        (root / "app/sdk/url").write_text(url, "utf-8")
        with started(root, *STARTS[start], "--port", port, log=tmp_path / "program.log"):
            wait_until(lambda: answers(f"{program}/healthz"))
            call = (sys.executable, "-m", "wwspec_router", "call", "--url", url)
            assert json.loads(run(*call, "chat_digest", '{"limit": 10}'))["messages"] == 10
            assert json.loads(run(*call, "price", '{"article": "tea"}'))["price"] == "19.99"
        assert "contracts are checked by compiled code and msgspec" in (tmp_path / "program.log").read_text("utf-8")
    finally:
        emulator.stop()


def test_an_image_without_the_sdk_says_what_is_missing_and_refuses_to_start(root: Path) -> None:
    (root / "app/sdk/wwspecapisdk.so").unlink()
    done = finished(*in_root(root, "/bin/bash", "/app/run.sh", "--port", "0"), env={}, cwd="/")
    assert done.returncode != 0
    assert "put wwspecapisdk.so there" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
