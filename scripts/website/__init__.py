"""The site of the documentation, made by MkDocs: `scripts/docs`.

Two builds, one for each language, instead of one with a plugin for both, whose index of the search would be one: so a
reader finds pages of their own language only, each once.
"""
