"""Benchmarks: each module answers one question, as figures that are ratios to a reference; none is a test."""
