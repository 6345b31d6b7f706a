"""What happened to each request that may cost money, as events, and what is true after them."""
