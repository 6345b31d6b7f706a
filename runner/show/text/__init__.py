"""Layout of text: tables, cells, styles, amounts and names."""
