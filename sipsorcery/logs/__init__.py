"""
The log of a process, for its operator.
"""
