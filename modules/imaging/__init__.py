"""Pictures as files: saved, named, read back, put on grids, resized. No torch."""

from modules.imaging.encoding import Encoded, PictureFormat, SaveFormat, encode_picture
from modules.imaging.grids import grid_is_within, grid_rows, make_grid
from modules.imaging.metadata import PictureTexts, PngInfo, png_info, read_texts
from modules.imaging.patterns import PatternHelp, PictureFacts, describe_patterns, fill_pattern
from modules.imaging.resize import ResizeMode, resize_image
from modules.imaging.saving import (
    SavedPicture,
    SaveOptions,
    SavePlace,
    SmallCopy,
    complete_files_beside,
    save_picture,
)
from modules.imaging.writing import publish, remove_unfinished, temporary_file

__all__ = [
    "Encoded",
    "PatternHelp",
    "PictureFacts",
    "PictureFormat",
    "PictureTexts",
    "PngInfo",
    "ResizeMode",
    "SaveFormat",
    "SaveOptions",
    "SavePlace",
    "SavedPicture",
    "SmallCopy",
    "complete_files_beside",
    "describe_patterns",
    "encode_picture",
    "fill_pattern",
    "grid_is_within",
    "grid_rows",
    "make_grid",
    "png_info",
    "publish",
    "read_texts",
    "remove_unfinished",
    "resize_image",
    "save_picture",
    "temporary_file",
]
