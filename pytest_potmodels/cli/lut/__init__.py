"""`potmodels lut`: train look-up-table networks, measure, describe and export them."""
