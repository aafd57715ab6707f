"""What a program's own tests, and the authors of backends, build on."""
