"""The interface for handlers: the mark of a handler, its context, and the portal that runs `async def` handlers."""
