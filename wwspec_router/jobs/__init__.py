"""Asynchronous calls after their acceptance: claimed, run, reported to the platform."""
