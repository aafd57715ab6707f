"""A store that several processes share."""

from tests.support.shared_stores import shared as shared, url as url
