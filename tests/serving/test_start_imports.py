import subprocess
import sys


def imported_by(code: str) -> set[str]:
    """Return all modules that are imported when a new interpreter has run some code."""
    code = f"import sys; {code}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {*done.stderr.split()}


def test_a_verb_that_sends_requests_loads_no_command_line_but_its_own() -> None:
    """With rich installed, httpx loads a command line of its own: a fifth of a start."""
    verb = "from wwspec_router.cli.main import main; main(['call', '--help'], standalone_mode=False)"
    loaded = imported_by(f"{verb}; import httpx")
    assert {"httpx", "click"} <= loaded
    assert loaded & {"rich", "pygments"} == set()


def test_a_worker_starts_without_what_only_other_servers_and_debuggers_need() -> None:
    assert imported_by("import wwspec_router.serving.server") & {"starlette", "pdb"} == set()


def test_the_parent_loads_nothing_of_what_serves() -> None:
    heavy = {"asyncio", "msgspec", "sqlite3", "starlette", "uvicorn", "uvloop"}
    assert imported_by("import wwspec_router.cli.verbs.serve") & heavy == set()


def test_another_server_loads_no_command_line() -> None:
    imported = imported_by("import wwspec_router.asgi")
    assert not [name for name in imported if name.startswith("wwspec_router.cli")]
    assert "click" not in imported
