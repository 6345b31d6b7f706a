"""YAML parsing on libyaml's events: values with their offsets in the file."""
