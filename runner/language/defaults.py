"""The values of fields that a shot leaves out; model, resolution and duration are those of the edition."""

ASPECT_RATIO = "16:9"
TAKES = 1
