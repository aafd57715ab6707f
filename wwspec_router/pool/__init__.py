"""Threads for calls and for jobs, each with its own: one that hangs stays behind, and another takes its place."""
