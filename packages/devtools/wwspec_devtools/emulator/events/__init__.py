"""The events that WeCom sends to a program: their content, and when they are sent."""
