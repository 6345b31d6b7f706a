"""Shot lists of other programs: what they say about shots as values, and as the text of a storyboard. Pure."""
