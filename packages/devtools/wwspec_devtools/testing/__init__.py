"""What a program's own tests build on."""
