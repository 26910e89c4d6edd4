"""Pictures as files: saved, named, read back, put on grids, resized. No torch."""

from modules.imaging.colors import correct_colours
from modules.imaging.encoding import Encoded, PictureFormat, SaveFormat, encode_picture
from modules.imaging.grids import grid_is_within, grid_rows, make_grid
from modules.imaging.incoming import (
    MAX_PIXELS,
    decode_picture,
    in_eight_bits,
    is_address,
    load_picture,
    open_picture,
    picture_file,
)
from modules.imaging.luma_chroma import blend_luma_chroma, lab_of_pixels
from modules.imaging.masks import (
    Box,
    blur_mask,
    box_of_mask,
    fill_masked,
    grow_to_aspect,
    invert_mask,
    lay_over,
    mask_of_picture,
    overlay_of,
    strengthened,
)
from modules.imaging.metadata import PictureTexts, PngInfo, png_info, read_texts
from modules.imaging.patterns import PatternHelp, PictureFacts, describe_patterns, fill_pattern
from modules.imaging.resize import Enlarge, ResizeMode, resize_image
from modules.imaging.saving import (
    SavedPicture,
    SaveOptions,
    SavePlace,
    SmallCopy,
    complete_files_beside,
    save_picture,
)
from modules.imaging.tiles import Tiles, count_tiles, join_tiles, tiles_of
from modules.imaging.writing import publish, remove_unfinished, temporary_file

__all__ = [
    "MAX_PIXELS",
    "Box",
    "Encoded",
    "Enlarge",
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
    "Tiles",
    "blend_luma_chroma",
    "blur_mask",
    "box_of_mask",
    "complete_files_beside",
    "correct_colours",
    "count_tiles",
    "decode_picture",
    "describe_patterns",
    "encode_picture",
    "fill_masked",
    "fill_pattern",
    "grid_is_within",
    "grid_rows",
    "grow_to_aspect",
    "in_eight_bits",
    "invert_mask",
    "is_address",
    "join_tiles",
    "lab_of_pixels",
    "lay_over",
    "load_picture",
    "make_grid",
    "mask_of_picture",
    "open_picture",
    "overlay_of",
    "picture_file",
    "png_info",
    "publish",
    "read_texts",
    "remove_unfinished",
    "resize_image",
    "save_picture",
    "strengthened",
    "temporary_file",
    "tiles_of",
]
