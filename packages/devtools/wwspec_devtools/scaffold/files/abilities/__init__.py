"""The program's own handlers, and the registry file that gives them ability IDs."""
