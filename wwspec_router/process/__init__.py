"""This machine and this process: cores, addresses, signals, child processes, private files, installed extras."""
