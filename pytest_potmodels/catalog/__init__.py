"""What names mean: presets, aliases, collections, models."""
