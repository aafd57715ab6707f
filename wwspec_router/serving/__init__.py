"""The program as a server: connections, calls, worker threads, worker processes."""
