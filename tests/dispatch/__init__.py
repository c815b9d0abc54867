"""
Tests for `sipsorcery.dispatch`.
"""
