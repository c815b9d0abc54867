"""
Tests of the console.
"""
