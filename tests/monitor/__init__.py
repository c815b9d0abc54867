"""
Tests for `sipsorcery.monitor`.
"""
