"""YAML from libyaml's events: values that know their places."""
