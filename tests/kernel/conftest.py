"""A store that several processes share, and the clock of lines that are logged once a second."""

from tests.support.rare_lines_clock import clock as clock
from tests.support.shared_stores import shared as shared, url as url
