"""The console: a page at the emulator's root that shows every exchange.

A shell, ES modules and a style sheet of our own, without a build step and without anything from elsewhere. All data
comes from the emulator's routes under `/emulator/`.
"""
