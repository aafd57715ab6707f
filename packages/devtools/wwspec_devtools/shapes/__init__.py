"""The shapes of WeCom's answers: recorded in debug mode, without any value, and compared with what is expected."""
