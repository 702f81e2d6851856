"""Encoders and networks as graphs, computed by ONNX Runtime or OpenVINO; nothing here needs torch.

`pretrained.conversion` makes them, `maeum export` asks it to.
"""
