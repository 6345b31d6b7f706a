"""The served dailies: the page over HTTP on loopback, and the decisions that are made in it."""
