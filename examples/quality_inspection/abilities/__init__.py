"""The code of the program."""
