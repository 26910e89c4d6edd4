"""An order is plain data: what it says decides the run, whatever has changed since it was given."""

import pytest
import torch

from modules.errors import InvalidRequest, NotFound
from modules.generation import Order, make_order, parse_txt2img, plan_run
from modules.prompts import StyleBook

from .drawing import TINY


@pytest.fixture
def book(tmp_path):
    book = StyleBook([tmp_path / "styles.csv"])
    book.save("red", "red {prompt}", "blue")
    return book


@pytest.fixture
def order(house, book):
    request = parse_txt2img({**TINY, "seed": -1, "styles": ["red"], "enable_hr": True, "hr_scale": 1.5})
    options = house.store.options.overridden(
        {"CLIP_stop_at_last_layers": 2, "a_key_of_an_extension": [1, "ü"]}
    )
    return make_order(request, options, book)


def test_an_order_comes_back_from_json_as_it_was(order):
    assert Order.model_validate_json(order.model_dump_json()) == order


def test_the_same_order_gives_the_same_run(order):
    again = Order.model_validate_json(order.model_dump_json())
    assert plan_run(again) == plan_run(order)


def test_seeds_are_drawn_when_the_order_is_given_and_not_again(order, house, book):
    assert order.request.seed >= 0
    assert order.request.subseed >= 0
    other = make_order(parse_txt2img({**TINY, "seed": -1}), house.store.options, book)
    assert other.request.seed != order.request.seed


def test_a_style_counts_as_it_was_when_the_order_was_given(order, book):
    book.save("red", "green {prompt}", "")
    run = plan_run(order)
    assert (run.prompt, run.negative_prompt) == ("red a cat", "blue")
    book.delete("red")
    assert plan_run(order) == run


def test_a_style_that_does_not_exist_is_refused(house, book):
    with pytest.raises(NotFound, match="'blue'"):
        make_order(parse_txt2img({**TINY, "styles": ["blue"]}), house.store.options, book)


def test_a_setting_that_is_no_longer_possible_takes_its_default(order):
    old = order.model_copy(update={"settings": {**order.settings, "randn_source": "a card of the past"}})
    assert plan_run(old).options.randn_source == "GPU"


@pytest.mark.parametrize(
    ("exact", "groups"), [(False, [[0, 1, 2], [3, 4, 5]]), (True, [[k] for k in range(6)])]
)
def test_pictures_are_drawn_by_batches_or_each_alone(house, book, exact, groups):
    request = parse_txt2img({**TINY, "batch_size": 3, "n_iter": 2})
    run = plan_run(make_order(request, house.store.options.overridden({"exact_batches": exact}), book))
    assert [list(group) for group in run.groups] == groups


def test_the_threads_of_an_order_are_those_of_the_setting_else_of_the_program(house):
    def threads(**settings):
        options = house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1", **settings})
        return house.engine.order(parse_txt2img(TINY), options, house.styles).threads

    assert threads(cpu_threads=1) == 1
    assert threads() == threads(cpu_threads=0) == torch.get_num_threads()
    with pytest.raises(
        InvalidRequest, match=r"Threads that draw on a processor.* 1024: the program has"
    ) as refusal:
        threads(cpu_threads=1024)
    assert refusal.value.field == "cpu_threads"
