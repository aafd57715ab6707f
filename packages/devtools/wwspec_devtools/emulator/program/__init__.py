"""The emulator's way to a zone program: start it, seal a call, send it, open the reply."""
