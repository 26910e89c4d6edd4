"""Settings that name a place on the disk, once the program serves other machines."""

import pytest

from modules.errors import InvalidRequest
from modules.flags import parse_flags
from modules.settings import SettingsStore


def store(tmp_path, *flags) -> SettingsStore:
    return SettingsStore(tmp_path / "config.json", parse_flags(flags, environment={}))


CLOSING = (["--listen"], ["--server-name", "192.168.0.5"], ["--hide-ui-dir-config"])


@pytest.mark.parametrize("flags", CLOSING, ids=lambda flags: flags[0])
@pytest.mark.parametrize("key", ["outdir_samples", "outdir_txt2img_samples", "directories_filename_pattern"])
def test_strangers_choose_no_place_neither_for_good_nor_for_one_request(tmp_path, flags, key):
    served = store(tmp_path, *flags)
    with pytest.raises(InvalidRequest, match=flags[0]) as refused:
        served.change({key: "/elsewhere"})
    assert refused.value.field == key
    with pytest.raises(InvalidRequest, match=flags[0]):
        served.for_request({key: "/elsewhere"})


def test_other_settings_stay_open_to_them(tmp_path):
    served = store(tmp_path, "--listen")
    assert served.change({"jpeg_quality": 70}).jpeg_quality == 70
    assert served.for_request({"CLIP_stop_at_last_layers": 2}).CLIP_stop_at_last_layers == 2


def test_at_home_the_user_chooses(tmp_path):
    served = store(tmp_path, "--server-name", "127.0.0.1")
    assert served.for_request({"outdir_samples": "/elsewhere"}).outdir_samples == "/elsewhere"
    assert served.change({"outdir_samples": "/elsewhere"}).outdir_samples == "/elsewhere"


def test_what_is_frozen_for_good_may_still_be_laid_over_for_one_request(tmp_path):
    served = store(tmp_path, "--freeze-settings")
    assert served.for_request({"CLIP_stop_at_last_layers": 2}).CLIP_stop_at_last_layers == 2
    with pytest.raises(InvalidRequest, match="--freeze-settings"):
        served.change({"CLIP_stop_at_last_layers": 2})
