"""Everything that builds what tests begin with: one module for each kind of thing."""
