"""The reference program's archive, in each form of a zone."""

from tests.abilities.test_archive import test_each_consent_is_counted_once_in_the_digest_that_the_app_gets

__all__ = ["test_each_consent_is_counted_once_in_the_digest_that_the_app_gets"]
