"""Values in, text out: for people, for programs, and the live view."""
