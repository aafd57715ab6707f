"""Log lines, how they look and where they go; how errors, threads and tasks are described in them."""
