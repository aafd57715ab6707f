"""`python -m wwspec_router`: the command line."""

from wwspec_router.cli.main import main

if __name__ == "__main__":
    main()
