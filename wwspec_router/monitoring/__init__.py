"""Counting calls, sharing the counts between worker processes, showing them."""
