"""
Tests for `sipsorcery.tap`.
"""
