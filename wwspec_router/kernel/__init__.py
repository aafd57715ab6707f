"""One `Call` in, one `Reply` out: dispatch, the intake of events and jobs, limits. Knows no HTTP and no SDK module."""
