"""This process and its machine: cores, child processes, what is imported before a start, secrets in files."""
