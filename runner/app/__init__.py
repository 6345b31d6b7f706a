"""What commands do: use cases between the command line and the rooms below."""
