"""One film file made of clips, pictures and slates: joined by copying packets where that is possible, else encoded."""
