"""Kinovi's API: request bodies, answers and their meaning for money, uploads."""
