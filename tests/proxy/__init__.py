"""
Tests for `sipsorcery.proxy`.
"""
