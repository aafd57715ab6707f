"""Many instances of a program on one Redis server: measured, computed and simulated."""
