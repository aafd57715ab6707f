"""One client's connection to the program: a protocol class of our own, with its limits, for uvicorn."""
