"""MLflow: bundles as runs and versions of models, under tags that name key, evidence, lineage."""
