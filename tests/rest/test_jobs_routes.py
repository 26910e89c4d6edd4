"""Easel's own routes: a job is accepted at once, followed, ordered, stopped, and its pictures are fetched."""

import asyncio
import base64
import io
import json
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from modules.generation import parse_txt2img
from modules.imaging import png_info
from modules.jobs import EventKind
from modules.rest.easel import events as streams

TINY = {"prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 7, "sampler_name": "Euler"}
LONG = {**TINY, "steps": 50, "n_iter": 200}


@pytest.fixture(scope="module")
def api(own_address):
    with httpx.Client(base_url=own_address, timeout=120) as client:
        yield client


@pytest.fixture(autouse=True)
def no_work_is_left(own_house):
    yield
    for job in own_house.queue.jobs():
        own_house.queue.interrupt(job.id)
    own_house.queue.resume()
    for job in own_house.queue.jobs():
        assert own_house.queue.wait(job, 60)


def order(api, request=TINY, headers=None, **values):
    answer = api.post("/easel/v1/jobs", json={"request": request, **values}, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def job(api, job_id):
    return api.get(f"/easel/v1/jobs/{job_id}").json()


def ended(api, job_id):
    return until(lambda: (found := job(api, job_id))["finished"] and found)


def events(api, url, seconds=120):
    """The events of a stream as (number, kind, data), until it ends."""
    with api.stream("GET", url, timeout=seconds) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield from read_events(answer)


def read_events(answer):
    message = {}
    for line in answer.iter_lines():
        if line:
            key, _, value = line.partition(": ")
            message[key] = value
        elif "data" in message:
            yield int(message["id"]), message["event"], json.loads(message["data"])
            message = {}


def opened(data):
    return Image.open(io.BytesIO(data))


class TestOrdering:
    def test_the_answer_comes_before_the_pictures_and_says_where_the_job_is(self, api):
        answer = api.post("/easel/v1/jobs", json={"request": LONG})
        assert answer.status_code == 202
        body = answer.json()
        assert body["state"] in ("waiting", "running")
        assert body["pictures_asked"] == 200 and body["request"]["prompt"] == "a cat"
        assert answer.headers["location"] == body["url"]
        assert api.get(body["url"]).json()["id"] == body["id"]

    def test_a_finished_job_answers_what_txt2img_answers(self, api):
        found = ended(api, order(api, {**TINY, "batch_size": 2})["id"])
        direct = api.post("/sdapi/v1/txt2img", json={**TINY, "batch_size": 2}).json()
        assert found["state"] == "done" and found["progress"] == 1
        info, expected = found["info"], json.loads(direct["info"])
        assert info["infotexts"] == expected["infotexts"]
        assert [picture["seed"] for picture in found["pictures"]] == info["all_seeds"] == [7, 8]

    def test_a_seed_is_drawn_when_the_order_is_accepted(self, api):
        assert order(api, {**TINY, "seed": -1})["request"]["seed"] >= 0

    def test_the_same_key_is_the_same_job(self, api):
        request = {**TINY, "seed": -1}
        first = order(api, request, {"Idempotency-Key": "once"})
        assert order(api, request, {"Idempotency-Key": "once"})["id"] == first["id"]
        assert order(api, request, {"Idempotency-Key": "twice"})["id"] != first["id"]
        ended(api, first["id"])
        assert order(api, request, {"Idempotency-Key": "once"})["id"] == first["id"]

    def test_a_key_of_another_order_is_refused(self, api):
        order(api, TINY, {"Idempotency-Key": "taken"})
        other = {"request": {**TINY, "steps": 3}}
        answer = api.post("/easel/v1/jobs", json=other, headers={"Idempotency-Key": "taken"})
        assert answer.status_code == 422
        assert answer.json()["field"] == "idempotency_key"

    def test_a_task_id_names_the_job(self, api):
        assert order(api, {**TINY, "force_task_id": "task(mine)"})["id"] == "task(mine)"
        assert ended(api, "task(mine)")["state"] == "done"

    @pytest.mark.parametrize("name", ["日本 %2e#?&", "...", "task(ä)", "null\x00"])
    def test_a_job_is_reached_by_its_url_whatever_it_is_called(self, api, name):
        answer = api.post("/easel/v1/jobs", json={"request": {**TINY, "force_task_id": name}})
        assert answer.status_code == 202, answer.text
        found = api.get(answer.headers["location"])
        assert (found.status_code, found.json().get("id")) == (200, name)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"request": {**TINY, "width": 13}}, "request.width"),
            ({"request": {**TINY, "force_task_id": "a/b"}}, "request.force_task_id"),
            ({"request": {**TINY, "force_task_id": ".."}}, "request.force_task_id"),
            ({"request": {**TINY, "sampler_name": "Oiler"}}, "sampler_name"),
            ({"request": TINY, "kind": "img2img"}, "kind"),
            ({"request": TINY, "priority": 1000}, "priority"),
            ({}, "request"),
        ],
    )
    def test_a_wrong_order_is_refused_before_it_is_accepted(self, api, own_house, wrong, field):
        before = len(own_house.queue.jobs())
        answer = api.post("/easel/v1/jobs", json=wrong)
        assert answer.status_code == 422
        assert answer.json()["field"] == field
        assert len(own_house.queue.jobs()) == before

    def test_a_full_queue_says_when_to_come_again(self, api, own_house):
        own_house.store.change({"max_queue": 2})
        try:
            api.post("/easel/v1/queue/pause")
            order(api), order(api)
            for route, body in (("/easel/v1/jobs", {"request": TINY}), ("/sdapi/v1/txt2img", TINY)):
                answer = api.post(route, json=body)
                assert answer.status_code == 429, answer.text
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.json()["error"] == "QueueFull"
        finally:
            own_house.store.change({"max_queue": 1000})

    def test_what_failed_says_why(self, api, own_house):
        path = own_house.folders.checkpoints[0] / "broken.safetensors"
        path.write_bytes(b"only words\n")
        api.post("/sdapi/v1/refresh-checkpoints")
        request = {**TINY, "override_settings": {"sd_model_checkpoint": "broken.safetensors"}}
        found = ended(api, order(api, request)["id"])
        path.unlink()
        assert found["state"] == "failed"
        assert "broken.safetensors" in found["error"]["detail"]
        assert found["error"]["field"] == "sd_model_checkpoint"


@pytest.fixture(scope="class")
def made(api):
    """A job of two saved pictures and a grid."""
    return ended(api, order(api, {**TINY, "batch_size": 2, "save_images": True})["id"])


class TestPictures:
    def test_they_are_files_with_their_text(self, api, made):
        answer = api.get(made["pictures"][0]["url"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"].startswith("inline; filename")
        assert png_info(opened(answer.content)).info == made["pictures"][0]["infotext"]

    def test_a_grid_has_its_name(self, api, made):
        grid = next(picture for picture in made["pictures"] if picture["is_grid"])
        assert grid["url"].endswith("/pictures/grid")
        assert opened(api.get(grid["url"]).content).size == (128, 64)

    def test_who_has_a_picture_is_not_sent_it_again(self, api, made):
        url = made["pictures"][0]["url"]
        etag = api.get(url).headers["etag"]
        again = api.get(url, headers={"If-None-Match": etag})
        assert again.status_code == 304 and not again.content
        other = api.get(made["pictures"][1]["url"])
        assert other.headers["etag"] != etag

    def test_a_small_one_is_made_on_the_way(self, api, made):
        answer = api.get(made["pictures"][0]["url"], params={"size": 32})
        assert answer.headers["content-type"] == "image/webp"
        assert opened(answer.content).size == (32, 32)

    def test_they_come_in_base64_when_asked(self, api, made):
        url = made["url"] + "/pictures"
        assert all(picture["data"] is None for picture in api.get(url).json()["pictures"])
        pictures = api.get(url, params={"as": "base64"}).json()["pictures"]
        assert [picture["name"] for picture in pictures] == ["0", "1", "grid"]
        for picture in pictures:
            file = base64.b64decode(picture["data"])
            assert file == api.get(picture["url"]).content
            assert picture["media_type"] == "image/png"

    def test_unsaved_ones_are_kept_too(self, api, own_house):
        made = ended(api, order(api)["id"])
        assert made["pictures"][0]["path"] is None
        file = opened(api.get(made["pictures"][0]["url"]).content)
        direct = api.post("/sdapi/v1/txt2img", json=TINY).json()["images"][0]
        assert np.array_equal(np.asarray(file), np.asarray(opened(base64.b64decode(direct))))

    @pytest.mark.parametrize("name", ["2", "-1", "x", "..%2f..%2fconfig.json"])
    def test_one_that_is_not_there_is_404_with_the_names_that_are(self, api, made, name):
        answer = api.get(f"{made['url']}/pictures/{name}")
        assert answer.status_code == 404
        assert set(answer.json()) == {"error", "detail", "errors", "field"}

    def test_a_deleted_file_is_said_to_be_gone(self, api, own_house):
        made = ended(api, order(api, {**TINY, "save_images": True})["id"])
        own_house.folders.place(made["pictures"][0]["path"]).unlink()
        answer = api.get(made["pictures"][0]["url"])
        assert answer.status_code == 404
        assert "no longer" in answer.json()["detail"]
        assert api.get(made["pictures"][0]["url"], params={"quiet": True}).status_code == 204

    @pytest.mark.parametrize("what", ["pictures/0", "preview"])
    def test_a_page_asks_quietly_for_what_may_be_forgotten_meanwhile(self, api, what):
        url = f"/easel/v1/jobs/task(long ago)/{what}"
        assert api.get(url).status_code == 404
        answer = api.get(url, params={"quiet": True})
        assert answer.status_code == 204 and not answer.content

    def test_one_is_fetched_while_others_are_drawn(self, api):
        made = order(api, LONG)
        running = until(lambda: (found := job(api, made["id"]))["pictures"] and found)
        assert api.get(running["pictures"][0]["url"]).status_code == 200
        assert job(api, made["id"])["state"] == "running"

    def test_a_preview_is_there_while_it_is_asked_for(self, api):
        made = order(api, LONG)
        url = made["url"] + "/preview"
        preview = until(lambda: (answer := api.get(url)).status_code == 200 and answer)
        assert opened(preview.content).size[0] >= 8
        api.post(made["url"] + "/interrupt")


class TestEvents:
    def test_a_job_is_followed_from_now_to_its_end(self, api):
        made = order(api, {**TINY, "steps": 10, "n_iter": 3})
        told = list(events(api, made["url"] + "/events"))
        numbers = [number for number, _, _ in told]
        assert numbers == sorted(numbers)
        assert all(data["job"] == made["id"] for _, _, data in told)
        assert {"state", "progress", "picture"} <= {kind for _, kind, _ in told}
        assert told[-1][2]["state"] == "done" and told[-1][2]["pictures"] == 3
        shares = [data["progress"] for _, _, data in told]
        assert shares == sorted(shares) and shares[-1] == 1

    def test_a_job_that_has_ended_is_told_in_one_event(self, api):
        made = ended(api, order(api)["id"])
        assert [data["state"] for _, _, data in events(api, made["url"] + "/events")] == ["done"]

    def test_an_interrupted_job_ends_its_stream(self, api):
        made = order(api, LONG)
        stream = events(api, made["url"] + "/events?previews=true")
        seen = [next(stream)]
        while seen[-1][2]["preview"] is None:
            seen.append(next(stream))
        api.post(made["url"] + "/interrupt")
        assert list(stream)[-1][2]["state"] == "interrupted"

    def test_many_watchers_see_the_end_and_slow_ones_hold_up_nobody(self, api, own_house, monkeypatch):
        # That somebody has gone is noticed when the next heartbeat is sent.
        monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.5)
        made = order(api, {**TINY, "steps": 20, "n_iter": 4})
        last = []

        def watch():
            *_, end = events(api, made["url"] + "/events")
            last.append(end[2]["state"])

        watchers = [threading.Thread(target=watch) for _ in range(20)]
        for watcher in watchers:
            watcher.start()
        with api.stream("GET", "/easel/v1/events"):  # somebody who never reads
            for watcher in watchers:
                watcher.join(120)
        assert last == ["done"] * 20
        until(lambda: not own_house.queue._events._subscriptions)

    def test_all_jobs_are_followed_together(self, api):
        with api.stream("GET", "/easel/v1/events") as answer:
            told = read_events(answer)
            assert next(told)[1] == "queue"
            wanted = {order(api)["id"], order(api)["id"]}
            done = set()
            while wanted - done:
                _, _, data = next(told)
                if data.get("state") == "done":
                    done.add(data["job"])

    def test_a_pause_is_an_event_of_the_queue(self, api):
        with api.stream("GET", "/easel/v1/events") as answer:
            told = read_events(answer)
            assert next(told)[2]["paused"] is False
            api.post("/easel/v1/queue/pause")
            assert until(lambda: (found := next(told))[1] == "queue" and found)[2]["paused"] is True

    def test_a_quiet_stream_beats(self, api, monkeypatch):
        monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.05)
        api.post("/easel/v1/queue/pause")
        made = order(api)
        with api.stream("GET", made["url"] + "/events") as answer:
            assert any(line.startswith(":") for line in answer.iter_lines())


class TestJobsByName:
    def test_they_come_in_the_order_asked_for_without_those_that_are_forgotten(self, api):
        api.post("/easel/v1/queue/pause")
        first, second, third = (order(api)["id"] for _ in range(3))
        found = api.get("/easel/v1/jobs", params={"id": [third, "task(long ago)", first]}).json()
        assert [each["id"] for each in found["jobs"]] == [third, first]
        assert [each["position"] for each in found["jobs"]] == [2, 0]
        assert found["next"] is None
        assert second not in str(found)


class TestTheQueue:
    @pytest.fixture
    def three(self, api):
        api.post("/easel/v1/queue/pause")
        return [order(api, {**TINY, "seed": seed})["id"] for seed in (1, 2, 3)]

    def waiting(self, api):
        return api.get("/easel/v1/queue").json()["waiting"]

    def test_it_tells_its_order(self, api, three):
        queue = api.get("/easel/v1/queue").json()
        assert queue["paused"] and queue["waiting"] == three and queue["running"] == []
        assert [job(api, each)["position"] for each in three] == [0, 1, 2]

    def test_jobs_are_moved(self, api, three):
        first, second, third = three
        assert api.post(f"/easel/v1/jobs/{third}/move", json={"before": first}).status_code == 200
        assert self.waiting(api) == [third, first, second]
        api.post(f"/easel/v1/jobs/{third}/move", json={})
        assert self.waiting(api) == [first, second, third]

    def test_a_higher_priority_goes_first(self, api, three):
        answer = api.post(f"/easel/v1/jobs/{three[2]}/priority", json={"priority": 5})
        assert answer.json()["priority"] == 5
        assert self.waiting(api)[0] == three[2]

    def test_a_waiting_job_is_edited(self, api, three):
        edited = {"request": {**TINY, "prompt": "a dog", "seed": 11}}
        assert api.put(f"/easel/v1/jobs/{three[1]}", json=edited).status_code == 200
        assert self.waiting(api) == three
        api.post("/easel/v1/queue/resume")
        assert ended(api, three[1])["info"]["infotexts"][0].startswith("a dog")

    def test_a_waiting_job_is_cancelled_and_tried_again(self, api, three):
        assert api.post(f"/easel/v1/jobs/{three[0]}/cancel").json()["state"] == "interrupted"
        again = api.post(f"/easel/v1/jobs/{three[0]}/retry")
        assert again.status_code == 202
        assert again.headers["location"] == again.json()["url"]
        assert self.waiting(api) == [three[1], three[2], again.json()["id"]]

    def test_a_duplicate_draws_the_same_picture(self, api):
        first = ended(api, order(api, {**TINY, "seed": -1})["id"])
        copy = api.post(first["url"] + "/duplicate")
        assert copy.status_code == 202
        second = ended(api, copy.json()["id"])
        files = [api.get(each["pictures"][0]["url"]).content for each in (first, second)]
        assert np.array_equal(*(np.asarray(opened(file)) for file in files))

    def test_a_running_job_skips_a_batch_and_is_stopped(self, api):
        made = order(api, LONG)
        until(lambda: job(api, made["id"])["pictures"])
        assert api.post(made["url"] + "/skip").status_code == 200
        assert api.post(made["url"] + "/interrupt").status_code == 200
        found = ended(api, made["id"])
        assert found["state"] == "interrupted" and 0 < len(found["pictures"]) < 200

    @pytest.mark.parametrize(
        ("method", "route", "body"),
        [
            ("POST", "cancel", None),
            ("POST", "move", {"before": None}),
            ("POST", "priority", {"priority": 1}),
            ("PUT", "", {"request": TINY}),
        ],
    )
    def test_what_needs_a_waiting_job_is_409_for_one_that_has_ended(self, api, method, route, body):
        made = ended(api, order(api)["id"])
        answer = api.request(method, f"{made['url']}/{route}".rstrip("/"), json=body)
        assert answer.status_code == 409, answer.text
        assert made["id"] in answer.json()["detail"]

    def test_a_past_job_is_forgotten_and_a_waiting_one_is_not(self, api, three):
        assert api.delete(f"/easel/v1/jobs/{three[0]}").status_code == 409
        api.post("/easel/v1/queue/resume")
        for each in three:
            ended(api, each)
        assert api.delete(f"/easel/v1/jobs/{three[0]}").status_code == 204
        assert api.get(f"/easel/v1/jobs/{three[0]}").status_code == 404
        assert api.delete("/easel/v1/jobs").status_code == 204
        assert api.get("/easel/v1/jobs").json() == {"jobs": [], "next": None}

    @pytest.mark.parametrize(
        ("method", "route"),
        [("GET", ""), ("DELETE", ""), ("GET", "/pictures"), ("GET", "/pictures/0"), ("GET", "/preview"), ("GET", "/events"),
         ("POST", "/cancel"), ("POST", "/interrupt"), ("POST", "/skip"), ("POST", "/retry"), ("POST", "/duplicate")],
    )  # fmt: skip
    def test_a_job_that_nobody_knows_is_404(self, api, method, route):
        answer = api.request(method, f"/easel/v1/jobs/task(nobody){route}")
        assert answer.status_code == 404
        assert "task(nobody)" in answer.json()["detail"]


@pytest.fixture(scope="class")
def five(api):
    """Five past jobs, and no others."""
    api.delete("/easel/v1/jobs")
    past = [order(api, {**TINY, "seed": seed})["id"] for seed in range(5)]
    for each in past:
        ended(api, each)
    return past


@pytest.mark.usefixtures("five")
class TestTheList:
    def test_unfinished_jobs_come_first_then_the_past_newest_first(self, api, five):
        api.post("/easel/v1/queue/pause")
        waiting = [order(api)["id"] for _ in range(3)]
        found = [each["id"] for each in api.get("/easel/v1/jobs").json()["jobs"]]
        assert found[:3] == waiting
        assert found[-5:] == five[::-1]

    @pytest.mark.parametrize("limit", [1, 2, 3, 50])
    def test_its_pages_hold_every_job_once(self, api, limit):
        whole = [each["id"] for each in api.get("/easel/v1/jobs", params={"limit": 500}).json()["jobs"]]
        paged, before = [], None
        while True:
            page = api.get(
                "/easel/v1/jobs", params={"limit": limit, **({"before": before} if before else {})}
            ).json()
            assert len(page["jobs"]) <= limit
            paged += [each["id"] for each in page["jobs"]]
            before = page["next"]
            if before is None:
                break
        assert paged == whole and len(set(paged)) == len(paged) >= 5

    def test_it_is_narrowed_to_states(self, api):
        done = api.get("/easel/v1/jobs", params={"state": "done"}).json()["jobs"]
        assert done and {each["state"] for each in done} == {"done"}
        assert api.get("/easel/v1/jobs", params={"state": ["waiting", "running"]}).json()["jobs"] == []
        assert api.get("/easel/v1/jobs", params={"state": "lost"}).status_code == 422

    def test_a_page_before_a_job_that_is_forgotten_is_404(self, api):
        assert api.get("/easel/v1/jobs", params={"before": "task(nobody)"}).status_code == 404


def test_a_job_says_how_long_it_was_worked_on(api):
    assert ended(api, order(api)["id"])["elapsed"] > 0


def test_the_fields_progress_counts_what_is_before_a_task(api):
    api.post("/easel/v1/queue/pause")
    first, second = order(api, {**TINY, "seed": 21})["id"], order(api, {**TINY, "seed": 22})["id"]
    told = [
        api.post("/internal/progress", json={"id_task": task}).json()["textinfo"] for task in (first, second)
    ]
    assert told == ["In queue: next", "In queue: 1 before this one"]


def test_what_happened_to_a_job_that_was_forgotten_since_is_news_of_the_queue(own_house):
    async def told():
        stream = streams.all_events(own_house)
        messages = [await anext(stream)]
        own_house.queue.forget(gone.id)
        own_house.queue._events.post(EventKind.STATE, gone.id)
        messages += [await anext(stream)]
        await stream.aclose()
        return messages

    gone = own_house.submit_request(parse_txt2img(TINY))
    assert own_house.queue.wait(gone, 120)
    for message in asyncio.run(told()):
        kind, data = message.splitlines()[1:3]
        assert kind == "event: queue"
        assert "waiting" in json.loads(data.removeprefix("data: "))
