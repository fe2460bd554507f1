"""The cipherset directory: Parquet beside a signed manifest."""
