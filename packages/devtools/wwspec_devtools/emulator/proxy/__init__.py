"""An HTTPS proxy for clients whose base URL is hard-coded, and its certificate authority."""
