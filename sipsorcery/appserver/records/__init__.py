"""
What is kept of calls, so that they outlive the process that set them up.
"""
