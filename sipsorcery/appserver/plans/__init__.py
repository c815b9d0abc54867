"""
Dialplans of every language: what engines offer, and what runs for whom.
"""
