"""Searches for requests that an application answers badly: `wwspec fuzz`. Needs the extra `testing`."""
