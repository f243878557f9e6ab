"""spoofweb: tells a real face from a print, phone, tablet or monitor in front of a camera."""

__version__ = "0.1.0"
