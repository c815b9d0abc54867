"""
What dialplans ask of the world outside: pages, ENUM and mail servers.
"""
