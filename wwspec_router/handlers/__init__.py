"""What an application writes its abilities against: the mark of a handler, its context, and what runs `async def`."""
