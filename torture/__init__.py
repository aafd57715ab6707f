"""Tortures the program, each run in another way, and says what came of it; see docs/en/explanation/reliability.md.

Bounded, on loopback only, over real processes and sockets; ends only what it started. No part of the wheel.
"""
