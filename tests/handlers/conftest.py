"""An event loop beside the test."""

from tests.support.running_loop import running_loop as running_loop
