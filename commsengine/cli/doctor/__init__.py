"""``doctor``: is everything there that sending needs?"""
