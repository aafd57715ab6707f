"""How recorded exchanges are shown: which of them, what of them, and what is hidden."""
