"""Models on disk: folders of JSON, safetensors and skops, without pickle."""

from turinglearn.persistence.codec import Unsavable
from turinglearn.persistence.folder import BrokenFolder, NoModel
from turinglearn.persistence.models import load, save

__all__ = ["BrokenFolder", "NoModel", "Unsavable", "load", "save"]
