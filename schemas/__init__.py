"""The program's own contracts: those of its abilities.

Modules in `schemas/api/` and `schemas/events/`, if there were any, would replace or complete what `wwspec_contracts`
holds; this program needs none.
"""
