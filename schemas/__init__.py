"""Contracts with WeCom: the SDK APIs in `api`, the events in `events`, and the shapes they share."""
