"""One client's connection: uvicorn's protocol class with the limits that it lacks, for the program and the emulator."""
