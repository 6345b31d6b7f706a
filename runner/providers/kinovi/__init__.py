"""Kinovi's API: request bodies, what each answer means for money, uploads."""
