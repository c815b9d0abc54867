"""
Dialplans as tables of rules, for those who do not program.
"""
