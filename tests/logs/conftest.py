"""The clock of lines that are logged once a second."""

from tests.support.rare_lines_clock import clock as clock
