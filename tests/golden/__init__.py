"""States of earlier versions, as they lay on disk, that every later version has to read."""
