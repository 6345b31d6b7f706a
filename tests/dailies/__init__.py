"""The dailies: the page as a file and served, in a real browser."""
