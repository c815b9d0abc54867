"""
Calls under way: their legs, what passes between them, and who is in them.
"""
