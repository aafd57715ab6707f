"""The image of a program: building it as a flat tar, listing what it holds, and checking a tar without an engine."""
