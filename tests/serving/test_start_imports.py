import subprocess
import sys


def imported_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_a_verb_that_sends_requests_loads_no_command_line_but_its_own() -> None:
    """With rich installed, httpx loads a command line of its own: a fifth of a start."""
    verb = "from wwspec_router.cli.main import main; main(['call', '--help'], standalone_mode=False)"
    code = f"import sys; {verb}; import httpx; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert {"httpx", "click"} <= loaded
    assert loaded & {"rich", "pygments"} == set()


def test_a_worker_starts_without_what_only_other_servers_and_debuggers_need() -> None:
    assert imported_by("wwspec_router.serving.server") & {"starlette", "pdb"} == set()


def test_the_parent_loads_nothing_of_what_serves() -> None:
    heavy = {"asyncio", "msgspec", "sqlite3", "starlette", "uvicorn", "uvloop"}
    assert imported_by("wwspec_router.cli.verbs.serve") & heavy == set()


def test_another_server_loads_no_command_line() -> None:
    code = (
        "import sys, wwspec_router.asgi; print(*(name for name in sys.modules if name.startswith('wwspec_router.cli')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.split()
    assert "click" not in imported_by("wwspec_router.asgi")
