"""The machines of the zone, each with a store of its own, and the app that many corps have installed: simulated."""
