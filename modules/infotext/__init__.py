"""The generation text ("parameters") of a picture: written, read back, and turned into a request again."""

from modules.infotext.defaults import DEFAULTS, Parameters, fill_defaults
from modules.infotext.fields import FIELDS, InfotextField, Target, field_of_setting, to_request_values
from modules.infotext.text import GenerationText, read_infotext, write_infotext

__all__ = [
    "DEFAULTS",
    "FIELDS",
    "GenerationText",
    "InfotextField",
    "Parameters",
    "Target",
    "field_of_setting",
    "fill_defaults",
    "read_infotext",
    "to_request_values",
    "write_infotext",
]
