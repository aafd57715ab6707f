"""The state of an emulated WeCom: people, messages, tasks, files, its clock, and the faults that a test sets."""
