"""What a storyboard means: text to batch; the same files give the same batch."""
