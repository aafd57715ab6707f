"""The verbs of a developer's or an operator's machine, and what they share."""
