"""One screen a module: values in, text out."""
