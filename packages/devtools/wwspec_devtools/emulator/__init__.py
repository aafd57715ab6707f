"""A local emulator of the WeCom zone platform, for development and tests; never for production."""
