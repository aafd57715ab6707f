"""What all packages share and none is about: text of others, stacks, signals, private files, extras."""
