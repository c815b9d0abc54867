"""
Tests for :mod:`sipsorcery.appserver.outside`.
"""
