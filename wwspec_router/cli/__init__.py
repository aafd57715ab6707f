"""The command line: `main` finds the verbs, one module each."""
