"""One module a verb, with its `command`."""
