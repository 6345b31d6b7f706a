"""Layout of text: tables, cells, styles, amounts; no word of the domain."""
