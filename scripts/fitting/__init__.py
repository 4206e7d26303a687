"""The fits behind the fitted block of data/parameters.toml, one module per model."""
