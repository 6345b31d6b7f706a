"""The dailies: the page on which the clips of a film are looked at, compared and picked."""
