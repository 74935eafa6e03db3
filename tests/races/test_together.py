"""Many processes want one model at the same moment."""

import json
from collections import Counter
from typing import Any

from standin import Hang, Stalled

ORG = "huggingface:google-bert/bert-base-uncased"
OLD = "huggingface:bert-base-uncased"


def metadata_calls(site: Any) -> int:
    return len([each for each in site.log.select("/api/models/") if each.status == 200])


def test_eight_processes_on_a_cold_cache_fetch_once(large: Any) -> None:
    outcomes = large.machine.all_at_once([large.name] * 8)
    assert [found.get("damages") for found in outcomes] == [0] * 8, outcomes
    assert Counter(found["fresh"] for found in outcomes) == {True: 1, False: 7}
    assert {found["path"] for found in outcomes} == {str(large.entry)}
    assert large.site.log.gets(large.weights) == 1, large.site.log.lines()
    assert metadata_calls(large.site) == 1
    assert large.site.log.bytes_sent(large.weights) == len(large.files[large.weights])
    assert large.machine.visible() == [large.entry.name]
    assert large.machine.store.leftovers() == []


def test_eight_processes_fetch_one_torchvision_file_once(
    machine: Any, own_weights: tuple[str, str]
) -> None:
    name, url = own_weights
    outcomes = machine.all_at_once([name] * 8, weights=url)
    assert [found.get("damages") for found in outcomes] == [0] * 8, outcomes
    assert Counter(found["fresh"] for found in outcomes) == {True: 1, False: 7}
    assert machine.site.log.gets() == 1, machine.site.log.lines()
    assert machine.visible() == ["torchvision_resnet18"]


def test_eight_processes_on_a_warm_cache_make_no_request(bench: Any) -> None:
    bench.machine.acquire(bench.name)
    bench.site.log.clear()
    outcomes = bench.machine.all_at_once([bench.name] * 8)
    assert [found.get("fresh") for found in outcomes] == [False] * 8, outcomes
    assert bench.site.log.lines() == []


def test_old_and_new_name_at_once_are_one_download(machine: Any) -> None:
    weights = bytes(range(256)) * 20_000
    files = {"config.json": b"{}", "model.safetensors": weights}
    machine.site.add_repo(ORG.partition(":")[2], files, aliases=(OLD.partition(":")[2],))
    outcomes = machine.all_at_once([ORG, OLD] * 3)
    assert [found.get("damages") for found in outcomes] == [0] * 6, outcomes
    assert len({found["path"] for found in outcomes}) == 1
    assert machine.site.log.gets("model.safetensors") == 1, machine.site.log.lines()
    assert len(machine.visible()) == 1
    machine.site.log.clear()
    for name in (OLD, ORG):
        assert str(machine.acquire(name).path) == outcomes[0]["path"]
    assert machine.site.log.lines() == []


def test_different_models_do_not_wait_for_each_other(machine: Any) -> None:
    names = [f"huggingface:org/m{number}" for number in range(4)]
    for number, name in enumerate(names):
        files = {"config.json": b"{}", "model.safetensors": bytes([number]) * 100_000}
        machine.site.add_repo(name.partition(":")[2], files)
    outcomes = machine.all_at_once(names)
    assert [found.get("fresh") for found in outcomes] == [True] * 4, outcomes
    assert not any("waiting for" in found["log"] for found in outcomes)


def test_names_that_differ_in_case_stay_two_models(machine: Any) -> None:
    for name in ("org/Model", "org/model"):
        files = {"config.json": name.encode(), "model.safetensors": name.encode()}
        machine.site.add_repo(name, files)
    outcomes = machine.all_at_once(["huggingface:org/Model", "huggingface:org/model"] * 2)
    assert [found.get("damages") for found in outcomes] == [0] * 4, outcomes
    folders = machine.visible()
    assert len({folder.casefold() for folder in folders}) == len(folders) == 2


def test_two_processes_mend_a_file_once(machine: Any) -> None:
    weights = bytes(range(256)) * 20_000
    files = {"config.json": b"{}", "model.safetensors": weights}
    machine.site.add_repo(ORG.partition(":")[2], files, aliases=(OLD.partition(":")[2],))
    stored = machine.acquire(ORG)
    machine.acquire(OLD)
    place = stored.path / "model.safetensors"
    place.chmod(0o644)
    place.write_bytes(weights[::-1])
    machine.site.log.clear()
    outcomes = machine.all_at_once([ORG, OLD] * 2)
    assert [found.get("damages") for found in outcomes] == [0] * 4, outcomes
    assert machine.site.log.gets("model.safetensors") == 1, machine.site.log.lines()
    assert [path.read_bytes() for path in machine.quarantine()] == [weights[::-1]]


def test_a_waiter_says_for_whom_it_waits(bench: Any) -> None:
    bench.site.fault(Stalled(at=1000, seconds=1.5), bench.weights, server="cdn")
    outcomes = bench.machine.all_at_once([bench.name] * 2)
    log = "".join(found["log"] for found in outcomes).splitlines()
    (said,) = [line for line in log if "waiting for" in line]
    assert "waiting for huggingface_org--model: held by process" in said


def test_the_manifest_says_the_same_whoever_wrote_it(bench: Any) -> None:
    bench.machine.all_at_once([bench.name, f"{bench.name}@main", f"{bench.name}@{bench.repo.sha}"])
    manifest = json.loads((bench.entry / "model_info.json").read_text())
    assert manifest["refs"] == [""]
    assert manifest["revision"] == bench.repo.sha
    assert bench.site.log.gets(bench.weights) == 1


def test_one_process_that_cannot_wait_longer_names_the_holder(large: Any) -> None:
    with (
        large.machine.store.locked(_id(large), timeout=1),
        large.machine.start(large.name, timeout=0.5) as child,
    ):
        said, _ = child.communicate(timeout=60)
    found = json.loads(said)
    assert found["error"] == "StoreError"
    assert (
        "Waited too long for the lock of huggingface_org--model: held by process"
        in found["message"]
    )


def _id(bench: Any) -> Any:
    return bench.machine.pipeline().catalog.request(bench.name).id


def test_when_the_hub_hangs_every_process_gets_an_announced_mock(bench: Any) -> None:
    bench.site.fault(Hang(), times=None)
    outcomes = bench.machine.all_at_once(
        [bench.name] * 2, mock="missing", timeout=3, read_timeout=0.5, retries=1
    )
    assert [found.get("source") for found in outcomes] == ["mock"] * 2, outcomes
    assert {found["substitute"] for found in outcomes} <= {"timeout", "cache-unusable"}
