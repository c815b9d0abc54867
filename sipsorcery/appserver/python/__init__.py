"""
Dialplans in Python: a sandboxed interpreter in worker processes.
"""
