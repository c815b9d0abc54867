"""
Hostile input for every parser: no exception but its own may escape.
"""
