"""The review site of racs_transients: a Django project that is a package."""
