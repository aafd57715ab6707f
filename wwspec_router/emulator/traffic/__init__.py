"""The record of what the emulator sees: exchanges, what caused them, and how they are shown."""
