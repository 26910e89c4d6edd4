"""Saving pictures and grids: formats, names, folders."""

from typing import ClassVar, Literal

from modules.settings.checks import Place
from modules.settings.declare import Section, option

__all__ = ["PictureExtension", "SavingImages", "SavingPaths", "SavingToFolders"]

PictureExtension = Literal["png", "jpg", "jpeg", "webp", "avif", "gif"]

PATTERN_HELP = (
    "Tags: [seed] [steps] [cfg] [sampler] [scheduler] [model_name] [model_hash] [width] [height] [styles] "
    "[prompt] [prompt_spaces] [prompt_words] [prompt_no_styles] [prompt_hash] [date] [datetime] "
    "[datetime<Format><Zone>] "
    "[job_timestamp] [batch_number] [generation_number] [clip_skip] [denoising] [vae_filename] [user]"
)


class SavingImages(Section):
    """How pictures and grids are written."""

    section_id: ClassVar[str] = "saving-images"
    section_title: ClassVar[str] = "Saving images/grids"

    samples_save: bool = option(True, "Always save all generated images")
    samples_format: PictureExtension = option("png", "File format for images")
    samples_filename_pattern: str = option(
        "",
        "Images filename pattern",
        help=f"Empty: [seed] in sub-folders, else [seed]-[prompt_spaces]. {PATTERN_HELP}",
        restricted=True,
    )
    save_images_add_number: bool = option(True, "Add number to filename when saving")
    save_images_replace_action: Literal["Replace", "Add number suffix"] = option(
        "Replace", "Saving the image to an existing file", help="When numbers are not added."
    )
    grid_save: bool = option(True, "Always save all generated image grids")
    grid_format: PictureExtension = option("png", "File format for grids")
    grid_extended_filename: bool = option(
        False, "Add extended info (seed, prompt) to filename when saving grid"
    )
    grid_only_if_multiple: bool = option(True, "Do not save grids consisting of one picture")
    grid_prevent_empty_spots: bool = option(
        False, "Prevent empty spots in grid", help="With rows by number.", affects_pixels=True
    )
    n_rows: int = option(
        -1,
        "Grid row count",
        help="-1: by the number of pictures; 0: as many as the batch size.",
        affects_pixels=True,
        ge=-1,
        le=16,
    )
    save_images_before_highres_fix: bool = option(False, "Save a copy of image before applying highres fix")
    jpeg_quality: int = option(
        80, "Quality for saved jpeg and avif images", ge=1, le=100, affects_pixels=True
    )
    webp_lossless: bool = option(False, "Use lossless compression for webp images", affects_pixels=True)
    export_for_4chan: bool = option(
        True, "Save copy of large images as JPG", help="When either of the two limits below is passed."
    )
    img_downscale_threshold: float = option(4.0, "File size limit for the above option, MB", ge=0)
    target_side_length: float = option(
        4000, "Width/height limit for the above option, in pixels", ge=1, le=1e9
    )
    img_max_size_mp: float = option(200, "Maximum grid size, in megapixels", ge=0)
    save_selected_only: bool = option(True, "When using 'Save' button, only save a single selected image")
    use_original_name_batch: bool = option(
        True, "Use original name for output filename during batch process in extras tab"
    )
    enable_picture_record: bool = option(
        True,
        "Write a machine-readable record into pictures",
        help="All that decided the picture, so that ./webui.sh verify can make it again; see docs/proof.md.",
    )
    save_incomplete_images: bool = option(False, "Save incomplete images", help="Of interrupted work.")


class SavingPaths(Section):
    """Where pictures and grids go. Relative paths start at the data folder."""

    section_id: ClassVar[str] = "saving-paths"
    section_title: ClassVar[str] = "Paths for saving"

    outdir_samples: Place = option(
        "", "Output directory for images", help="If empty, the directories below are used.", restricted=True
    )
    outdir_txt2img_samples: Place = option(
        "outputs/txt2img-images", "Output directory for txt2img images", restricted=True
    )
    outdir_img2img_samples: Place = option(
        "outputs/img2img-images", "Output directory for img2img images", restricted=True
    )
    outdir_extras_samples: Place = option(
        "outputs/extras-images", "Output directory for images from extras tab", restricted=True
    )
    outdir_grids: Place = option(
        "", "Output directory for grids", help="If empty, the directories below are used.", restricted=True
    )
    outdir_txt2img_grids: Place = option(
        "outputs/txt2img-grids", "Output directory for txt2img grids", restricted=True
    )
    outdir_img2img_grids: Place = option(
        "outputs/img2img-grids", "Output directory for img2img grids", restricted=True
    )
    outdir_save: Place = option(
        "log/images", "Directory for saving images using the Save button", restricted=True
    )


class SavingToFolders(Section):
    """Sub-folders of the output directories."""

    section_id: ClassVar[str] = "saving-to-dirs"
    section_title: ClassVar[str] = "Saving to a directory"

    save_to_dirs: bool = option(True, "Save images to a subdirectory")
    grid_save_to_dirs: bool = option(True, "Save grids to a subdirectory")
    directories_filename_pattern: str = option(
        "[date]", "Directory name pattern", help=PATTERN_HELP, restricted=True
    )
    directories_max_prompt_words: int = option(8, "Max prompt words for [prompt_words] pattern", ge=1, le=20)
