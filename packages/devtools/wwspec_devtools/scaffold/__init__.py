"""Makes the folder of a new application."""
