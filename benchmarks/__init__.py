"""Benchmarks: each module answers one question and prints JSON; none is a test."""
