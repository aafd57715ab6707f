"""`python -m tests.support.run_postgres`: runs a private PostgreSQL until it is told to end, and prints its URL."""

import signal

from tests.support.postgres_server import local_postgres

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    with local_postgres() as url:
        print(url, flush=True)  # noqa: T201
        signal.sigwait((signal.SIGTERM, signal.SIGINT))
