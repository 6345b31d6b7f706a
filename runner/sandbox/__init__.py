"""The local double of the API, and the animatics that it makes."""
