"""The events that WeCom sends to a program: what they hold, and when they are sent."""
