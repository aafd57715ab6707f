"""One module for each event of WeCom, named as its event_type, with its `Event`."""
