"""The contracts of the program."""
