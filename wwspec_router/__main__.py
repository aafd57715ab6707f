"""The command line: `python -m wwspec_router`, and the entry point of `wwspec`."""

import signal


def start() -> None:
    """Run the command line. Until a verb is imported, Ctrl-C ends the process silently, as it does a program in C."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from wwspec_router.cli.main import main  # here, since it takes a while

    main()


if __name__ == "__main__":
    start()
