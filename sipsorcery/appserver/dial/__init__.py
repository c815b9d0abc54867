"""
What a dial is: whom its string names, which legs ring and when, and who answers.
"""
