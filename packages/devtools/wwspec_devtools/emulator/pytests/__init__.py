"""Writes pytest tests: of what the emulator recorded, and the parts that `wwspec fuzz` writes its own with."""
