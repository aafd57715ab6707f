"""The parts of the stand-in for the vendor's module.

This package imports only the standard library and pycryptodome, and nothing else of this project. The emulator imports
its envelope from here.
"""
