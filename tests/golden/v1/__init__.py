"""What commit ddd2066 left on disk: state folder, two content repositories, the sandbox's folder, and its own words."""
