"""ui-config.json as people and other programs leave it: read where it can be, said where it cannot."""

import pytest

from modules.web.ui_config import UiConfig

WIDTH = {"value": 512, "minimum": 64}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_any_encoding_is_read(tmp_path, encoding):
    path = tmp_path / "ui-config.json"
    path.write_text('{"caf\u00e9/x/value": 1, "txt2img/Width/value": 640}', encoding=encoding)
    assert UiConfig.read(path).over("txt2img", "Width", WIDTH) == {"value": 640, "minimum": 64}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"null", b"[" * 100_000, b"\0" * 100, b"\xff\xfe{", b"{" + b" " * 10_000_000],
)
def test_a_broken_file_is_said_and_left_alone(tmp_path, content, caplog):
    path = tmp_path / "ui-config.json"
    path.write_bytes(content)
    assert UiConfig.read(path).over("txt2img", "Width", WIDTH) == WIDTH
    assert "ui-config.json" in caplog.text
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_said(tmp_path, caplog):
    (tmp_path / "ui-config.json").mkdir()
    assert UiConfig.read(tmp_path / "ui-config.json").over("txt2img", "Width", WIDTH) == WIDTH
    assert "ui-config.json" in caplog.text


def test_values_of_the_wrong_type_are_left_out(tmp_path):
    path = tmp_path / "ui-config.json"
    path.write_text(
        '{"txt2img/Width/value": [1], "txt2img/Width/minimum": "x", "txt2img/Width/visible": {"a": 1},'
        ' "txt2img/Width/maximum": 1e999, "txt2img/Width/step": NaN}'
    )
    shown = UiConfig.read(path).over("txt2img", "Width", {**WIDTH, "maximum": 2048, "step": 8})
    assert shown == {**WIDTH, "maximum": 2048, "step": 8}


@pytest.mark.parametrize(
    "values",
    ['"minimum": 4000', '"value": 10', '"step": 0', '"step": -8', '"maximum": 1', '"value": 1e300'],
)
def test_numbers_that_do_not_go_together_are_left_out(tmp_path, values):
    path = tmp_path / "ui-config.json"
    path.write_text("{" + values.replace('"', '"txt2img/Width/', 1) + ', "txt2img/Width/visible": false}')
    arguments = {**WIDTH, "maximum": 2048, "step": 8}
    assert UiConfig.read(path).over("txt2img", "Width", arguments) == {**arguments, "visible": False}
