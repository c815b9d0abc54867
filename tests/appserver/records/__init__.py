"""
Tests for :mod:`sipsorcery.appserver.records.records`.
"""
