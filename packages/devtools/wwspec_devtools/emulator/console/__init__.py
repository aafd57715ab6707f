"""The console: a page at the emulator's root that shows every exchange.

It is made of a shell, ES modules and style sheets of our own, without a build step and without files from other hosts.
All data comes from the emulator's routes under `/emulator/`.
"""
