"""Inputs that are almost right, or wrong in every way, at every door.

alter   a valid input, damaged
watch   what is looked at while they are sent, and the table of how far they came
doors   one file a door: its valid inputs, its grammar, and what counts as an answer
"""
