"""
Tests for :mod:`sipsorcery.appserver.wizard`.
"""
