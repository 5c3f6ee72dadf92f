"""Devices and features: what a pod may ask that is declined here, and which features its node has to declare."""

from .declining import reason_to_decline
from .device_classes import DeviceClasses
from .features import required_features

__all__ = ["DeviceClasses", "reason_to_decline", "required_features"]
