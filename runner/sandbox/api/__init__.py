"""The sandbox's own reading of the API's documentation."""
