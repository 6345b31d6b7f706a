"""What a file is: kind by first bytes, seconds, size, hash, frames of a clip."""
