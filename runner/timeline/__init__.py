"""The film in its order: from the edit in a storyboard and the clips that were made to a list of segments. Pure."""
