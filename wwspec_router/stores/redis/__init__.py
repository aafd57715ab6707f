"""The store on a Redis server, for several machines."""
