"""The words every room uses: values, errors, protocols, canonical bytes, secrets."""
