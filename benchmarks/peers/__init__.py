"""Programs that the exchange is measured against."""
