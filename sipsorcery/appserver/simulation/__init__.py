"""
Finding out what would happen to a call, without a phone, a network or waiting.
"""
