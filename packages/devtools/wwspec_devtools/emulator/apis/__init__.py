"""The SDK APIs that the emulator models, one module a group."""
