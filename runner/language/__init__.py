"""The storyboard language: compiles storyboard files to a batch of shots; the same files give the same batch."""
