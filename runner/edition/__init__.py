"""One edition of the contract of the API, as dated data, and the wire, pure both ways."""
