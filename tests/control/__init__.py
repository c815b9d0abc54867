"""
Tests for `sipsorcery.control`.
"""
