"""What the stand-in for the vendor's module is made of.

A package of its own: it imports the standard library and pycryptodome, and nothing else of this project. The emulator
imports its envelope from here.
"""
