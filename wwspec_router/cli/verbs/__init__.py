"""The verbs of `wwspec`, a module each with `command`; `main` imports the one that is used."""
