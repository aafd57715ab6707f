"""For a developer's or an operator's machine: the emulator, tests, images, new programs, and the verbs for them."""
