"""Programs that the exchange is measured against, each written as a competent user of its framework would.

Each is started with a port, and finds `wwspecapisdk` on its path. Decode, call and encode stay on one thread without
an await between them, since the SDK remembers for each thread which request it decoded last.
"""
