"""From a configuration with a `train:` block to files: data, recipe, loop, measurement, picture."""
