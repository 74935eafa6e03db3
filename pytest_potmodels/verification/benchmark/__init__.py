"""What a model costs with PyTorch and with ONNX Runtime, as rows that tell where and of what."""
