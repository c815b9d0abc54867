"""
Tests for :mod:`sipsorcery.appserver.hosting`.
"""
