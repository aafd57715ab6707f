"""The built wheel, for the pages that a new user follows."""

from tests.packaging.conftest import archives, clean_env, installed

__all__ = ["archives", "clean_env", "installed"]
