"""The record of what the emulator sees: exchanges as they were, and what caused them."""
