"""
Tests for `sipsorcery.access`.
"""
