"""The record of the emulator's exchanges, and what caused each."""
