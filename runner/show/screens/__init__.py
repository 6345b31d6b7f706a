"""The screens of the commands, one in each module: values in, text out."""
