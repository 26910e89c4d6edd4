"""Two clients from PyPI, made for the field's API, run their calls against the program."""

import threading
import time

import numpy as np
import pytest
import sd_backend_client
import webuiapi
from PIL import Image

TINY = {"sd_model_checkpoint": "tiny-sd1"}


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), dtype=int)


@pytest.fixture(scope="module")
def api(address):
    return webuiapi.WebUIApi(baseurl=f"{address}/sdapi/v1", sampler="Euler a", steps=2)


@pytest.fixture(scope="module")
def backend(address):
    backend = sd_backend_client.A1111Webservice(address)
    yield backend
    backend.disconnect()


class TestWebuiapi:
    """https://pypi.org/project/webuiapi, as its README uses it."""

    def test_a_picture_is_made(self, api):
        result = api.txt2img(
            prompt="a cat",
            negative_prompt="a dog",
            seed=3,
            width=64,
            height=64,
            cfg_scale=7,
            override_settings=TINY,
        )
        assert result.image.size == (64, 64)
        assert result.info["seed"] == 3
        assert "Steps: 2" in result.info["infotexts"][0]
        assert result.parameters["prompt"] == "a cat"

    def test_the_same_call_makes_the_same_picture(self, api):
        call = {"prompt": "a cat", "seed": 5, "width": 64, "height": 64, "override_settings": TINY}
        first, second = api.txt2img(**call), api.txt2img(**call)
        assert np.array_equal(pixels(first.image), pixels(second.image))

    def test_a_batch_with_a_hires_pass_and_a_style(self, api, house):
        house.styles.save("of clay", "made of clay", "")
        result = api.txt2img(
            prompt="a cat", styles=["of clay"], seed=3, width=64, height=64, batch_size=2, n_iter=2, steps=1,
            enable_hr=True, hr_scale=2, hr_upscaler=webuiapi.HiResUpscaler.Latent, denoising_strength=0.5,
            sampler_name="DPM++ 2M", scheduler="karras", override_settings=TINY,
        )  # fmt: skip
        assert [image.size for image in result.images] == [(128, 128)] * 4
        assert "made of clay" in result.info["all_prompts"][0]
        assert "of clay" in [style["name"] for style in api.get_prompt_styles()]

    def test_what_is_not_there_is_an_error_with_a_sentence(self, api):
        with pytest.raises(RuntimeError, match="Oiler"):
            api.txt2img(prompt="a cat", sampler_name="Oiler", override_settings=TINY)
        with pytest.raises(RuntimeError, match="ControlNet"):
            # The client writes into its own default for alwayson_scripts, hence one of our own.
            api.txt2img(
                prompt="a cat",
                controlnet_units=[webuiapi.ControlNetUnit(module="canny")],
                alwayson_scripts={},
                override_settings=TINY,
            )

    def test_a_picture_is_outpainted_by_a_script(self, api):
        result = api.img2img(
            images=[Image.new("RGB", (64, 64), "teal")], prompt="a cat", seed=3, width=64, height=64,
            script_name="Outpainting mk2", script_args=[None, 32, 4, ["left", "up"], 1.0, 0.05],
            override_settings=TINY,
        )  # fmt: skip
        assert result.image.size == (128, 128)
        assert len(api.get_scripts()["img2img"]) >= 2
        with pytest.raises(RuntimeError, match=r"no script named .*Outpainting mk9"):
            api.img2img(images=[result.image], script_name="Outpainting mk9", override_settings=TINY)

    def test_pictures_are_enlarged_and_read(self, api):
        result = api.txt2img(prompt="a cat", seed=3, width=64, height=64, override_settings=TINY)
        larger = api.extra_single_image(
            result.image, upscaler_1=webuiapi.Upscaler.Lanczos, upscaling_resize=1.5
        )
        assert larger.image.size == (96, 96)
        several = api.extra_batch_images(
            [result.image, larger.image], upscaler_1=webuiapi.Upscaler.Nearest, upscaling_resize=2
        )
        assert [image.size for image in several.images] == [(128, 128), (192, 192)]
        # The client sends pictures as PNG with their texts.
        assert api.png_info(result.image).info.startswith("a cat")

    def test_settings_are_read_and_changed(self, api):
        assert api.get_options()["samples_format"] == "png"
        assert api.set_options({"jpeg_quality": 77}) == {}
        assert api.get_options()["jpeg_quality"] == 77

    def test_a_checkpoint_is_chosen_by_a_name_that_is_nearly_right(self, api):
        # Titles tell of hashes that are known by now, which makes them less like a bare name.
        title = next(name for name in api.util_get_model_names() if name.startswith("tiny-sd1"))
        api.util_set_model(title[:-1])
        assert api.util_get_current_model().startswith("tiny-sd1")
        assert api.util_get_current_model() in api.util_get_model_names()

    @pytest.mark.parametrize(
        "name",
        ["get_cmd_flags", "get_samplers", "get_schedulers", "get_upscalers", "get_latent_upscale_modes", "get_sd_models", "get_embeddings",
         "get_scripts", "get_memory", "util_get_sampler_names", "util_get_scheduler_names"],
    )  # fmt: skip
    def test_a_list_has_something_in_it(self, api, name):
        assert getattr(api, name)()

    @pytest.mark.parametrize(
        "name",
        ["get_sd_vae", "get_loras", "get_hypernetworks", "get_face_restorers", "get_realesrgan_models"],
    )
    def test_a_list_is_a_list(self, api, name):
        assert isinstance(getattr(api, name)(), list)

    def test_folders_are_looked_into_again(self, api):
        assert api.refresh_checkpoints() is None

    def test_progress_is_followed_and_work_interrupted(self, api):
        made = []
        call = {
            "prompt": "a cat",
            "steps": 100,
            "n_iter": 50,
            "width": 64,
            "height": 64,
            "override_settings": TINY,
        }
        working = threading.Thread(target=lambda: made.append(api.txt2img(**call)))
        working.start()
        other = webuiapi.WebUIApi(baseurl=api.baseurl)
        end = time.monotonic() + 120
        while other.get_progress()["state"]["sampling_step"] < 3:
            assert working.is_alive() and time.monotonic() < end
        progress = other.get_progress()
        assert 0 < progress["progress"] < 1 and progress["state"]["job_count"] == 50
        other.skip()
        other.interrupt()
        working.join(60)
        assert len(made[0].images) < 50
        other.util_wait_for_ready(check_interval=0.1)


class TestSdBackendClient:
    """https://pypi.org/project/sd-backend-client: its Backend over the field's API, with models of every answer."""

    @staticmethod
    def params(**values):
        fields = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 3, "sampler": "Euler a"}
        body = sd_backend_client.DiffusionRequestBody(**{**fields, **values})
        body.override_settings = dict(TINY)
        return body

    def test_the_server_is_recognised(self, address):
        assert isinstance(sd_backend_client.connect_to_backend(address), sd_backend_client.A1111Webservice)

    def test_a_picture_is_made_and_its_info_fits_the_clients_model(self, backend):
        answer = backend.txt2img(self.params())
        assert answer["images"][0].size == (64, 64)
        assert answer["info"].seed == 3
        assert answer["info"].infotexts[0].startswith("a cat")

    def test_a_submitted_job_is_followed_to_its_end(self, backend):
        handle = backend.submit_txt2img(self.params(n_iter=2, batch_size=2))
        result = handle.wait(timeout=120)
        assert len(result.images) == 4

    def test_a_submitted_job_is_cancelled(self, backend):
        handle = backend.submit_txt2img(self.params(steps=100, n_iter=50))
        end = time.monotonic() + 120
        while not backend.progress_check().state.job:
            assert time.monotonic() < end
        handle.cancel()
        while backend.progress_check().state.job:
            assert time.monotonic() < end

    def test_a_picture_is_enlarged_to_a_size(self, backend):
        answer = backend.upscale(Image.new("RGB", (64, 48), "teal"), 100, 80)
        assert answer["images"][0].size == (100, 80)

    @pytest.mark.parametrize("name", ["checkpoints", "samplers", "schedulers", "upscalers"])
    def test_what_there_is_is_listed(self, backend, name):
        assert getattr(backend, f"list_{name}")()

    @pytest.mark.parametrize("name", ["vaes", "loras", "hypernetworks", "controlnet_models"])
    def test_what_may_be_missing_is_listed(self, backend, name):
        assert isinstance(getattr(backend, f"list_{name}")(), list)

    def test_scripts_and_capabilities_are_told(self, backend):
        assert "outpainting mk2" in backend.get_scripts().img2img
        assert "poor man's outpainting" in [script.name for script in backend.get_script_info()]
        capabilities = backend.get_capabilities()
        assert capabilities.scheduler and not capabilities.controlnet

    def test_styles_modes_and_settings_are_read(self, backend):
        assert isinstance(backend.get_styles(), list)
        assert "Latent" in backend.get_latent_upscale_modes()
        assert backend.get_config()["samples_format"]

    def test_folders_are_looked_into_again(self, backend):
        for refresh in (backend.refresh_checkpoints, backend.refresh_vae, backend.refresh_loras):
            assert refresh().status_code == 200

    def test_nothing_is_interrupted_without_an_error(self, backend):
        assert backend.interrupt() == {}
