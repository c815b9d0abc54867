"""
Tests for :mod:`sipsorcery.appserver.transfers.transfers`.
"""
