"""Planning: the action for each take, its reason and its price; settlement of unsettled attempts. Pure."""
