"""A remote: models beyond one machine, as objects by their sha256 and manifests that name them."""
