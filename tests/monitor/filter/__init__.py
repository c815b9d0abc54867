"""
Tests for `sipsorcery.monitor.filter`.
"""
