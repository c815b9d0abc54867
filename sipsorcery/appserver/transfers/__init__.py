"""
Transfers, and what a user does with calls from outside of them.
"""
