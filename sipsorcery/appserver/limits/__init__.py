"""
What a user may do where calls may cost money.
"""
