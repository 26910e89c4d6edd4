"""The look: Gradio's plain theme with the system's own fonts and one accent colour.

Nothing is fetched from elsewhere.
"""

from collections.abc import Mapping

import gradio as gr

__all__ = ["make_theme"]

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Ubuntu", "Cantarell", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

ACCENT = gr.themes.Color(
    c50="#eef4ff",
    c100="#dbe7ff",
    c200="#bcd2ff",
    c300="#90b4ff",
    c400="#6391fa",
    c500="#3f6fef",
    c600="#2f57d6",
    c700="#2745ae",
    c800="#253d8a",
    c900="#22366e",
    c950="#182346",
    name="accent",
)

COLOURS: Mapping[str, str] = {
    "body_background_fill": "#f5f6f8",
    "body_background_fill_dark": "#14161b",
    "body_text_color": "#1d2129",
    "body_text_color_dark": "#e4e7ec",
    "body_text_color_subdued": "#5d6675",
    "body_text_color_subdued_dark": "#98a1b0",
    "background_fill_primary": "#ffffff",
    "background_fill_primary_dark": "#1b1e25",
    "background_fill_secondary": "#f0f2f5",
    "background_fill_secondary_dark": "#22262f",
    "block_background_fill": "transparent",
    "block_background_fill_dark": "transparent",
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_shadow_dark": "none",
    "block_padding": "0px",
    "block_label_background_fill": "transparent",
    "block_label_background_fill_dark": "transparent",
    "block_title_text_color": "#3c4452",
    "block_title_text_color_dark": "#b9c1ce",
    "block_title_text_size": "13px",
    "block_title_text_weight": "500",
    "block_radius": "6px",
    "border_color_primary": "#d9dde4",
    "border_color_primary_dark": "#343a46",
    "input_background_fill": "#ffffff",
    "input_background_fill_dark": "#22262f",
    "input_border_width": "1px",
    "input_border_color": "#cfd5de",
    "input_border_color_dark": "#3a414e",
    "input_border_color_focus": "*primary_500",
    "input_border_color_focus_dark": "*primary_400",
    "input_padding": "7px 10px",
    "input_radius": "6px",
    "input_placeholder_color": "#6b7585",
    "input_placeholder_color_dark": "#8d97a7",
    "input_shadow": "none",
    "input_shadow_dark": "none",
    "input_text_size": "14px",
    "layout_gap": "10px",
    "form_gap_width": "0px",
    "panel_border_width": "0px",
    "slider_color": "*primary_500",
    "slider_color_dark": "*primary_400",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_background_fill_dark": "transparent",
    "checkbox_label_border_width": "0px",
    "checkbox_label_border_width_dark": "0px",
    "checkbox_label_padding": "0px",
    "checkbox_background_color_selected": "*primary_500",
    "checkbox_background_color_selected_dark": "*primary_500",
    "checkbox_border_color_selected": "*primary_500",
    "checkbox_border_color_selected_dark": "*primary_500",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_dark": "*primary_600",
    "button_primary_background_fill_hover_dark": "*primary_500",
    "button_primary_text_color": "#ffffff",
    "button_secondary_background_fill": "#e8ebf0",
    "button_secondary_background_fill_dark": "#2a2f39",
    "button_secondary_background_fill_hover": "#dde2ea",
    "button_secondary_background_fill_hover_dark": "#353c49",
    "button_secondary_border_color": "transparent",
    "button_secondary_border_color_dark": "transparent",
    "button_secondary_text_color": "#2b323e",
    "button_secondary_text_color_dark": "#dde2ea",
    "button_large_text_size": "15px",
    "button_large_text_weight": "500",
    "button_large_padding": "8px 14px",
    "button_large_radius": "6px",
    "button_medium_radius": "6px",
    "button_small_radius": "6px",
}


def make_theme() -> gr.themes.Base:
    """A theme whose fonts are the system's: as plain names, so that no font server is asked."""
    theme = gr.themes.Base(
        primary_hue=ACCENT,
        neutral_hue="slate",
        spacing_size="sm",
        radius_size="sm",
        text_size="md",
        font=[gr.themes.Font(name) for name in SANS],
        font_mono=[gr.themes.Font(name) for name in MONO],
    )
    return theme.set(**COLOURS)
