"""The emulator over HTTP: its server, its endpoints, and a client of it."""
