"""The command line: `python -m wwspec_router`, and the entry point of `wwspec`."""

import gc
import signal


def start() -> None:
    """Run the command line. Until a verb is imported, Ctrl-C ends the process silently, as it does a program in C."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # `wwspec dev` starts its children with it blocked
    gc.disable()  # until the verb is imported: modules stay, and a search for garbage among them takes longer
    from wwspec_router.cli.main import main  # here, since it takes a while

    main()


if __name__ == "__main__":
    start()
