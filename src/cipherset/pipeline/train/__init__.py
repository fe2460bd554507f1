"""Reference trainers and ONNX model bundles; needs no key."""
