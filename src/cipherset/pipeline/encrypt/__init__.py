"""Distance-comparison-preserving encryption of vectors."""
