"""Decodes and checks requests, checks and repairs replies, by the contracts of each ability."""
