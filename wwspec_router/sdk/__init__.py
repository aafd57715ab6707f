"""The seam to the vendor SDK: Protocols in `base`, the one adapter in `vendor`."""
