"""What an emulated WeCom knows: people, messages, tasks, files, its clock, and what a test changes in it."""
