"""Made-up secrets planted among rows, and how well a trained model knows them."""
