"""Gaussian noise that keeps an (epsilon, delta): its calibration, and a sampler without floats."""

from cipherset.pipeline.encrypt.gaussian.mechanism import Mechanism, compose, mechanism, parse_noise

__all__ = ["Mechanism", "compose", "mechanism", "parse_noise"]
