"""Models on disk: folders of JSON, safetensors and skops files, without pickle."""

from turinglearn.persistence.codec import NotSerializableError
from turinglearn.persistence.folder import CorruptModelError, ModelNotFoundError
from turinglearn.persistence.models import load, save

__all__ = ["CorruptModelError", "ModelNotFoundError", "NotSerializableError", "load", "save"]
