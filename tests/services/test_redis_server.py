"""The embedded Redis: starts fast, keeps its data, ends with its parent, says what is missing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from sample_host.services import redis_server as module
from sample_host.services.child_process import ServiceFailed, ServiceMissing
from sample_host.services.redis_server import redis_server


@pytest.fixture(autouse=True)
def _no_outside_server(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """Where Redis is missing, `redis_url` has skipped these tests already."""
    monkeypatch.delenv("MASSMAIL_REDIS_URL", raising=False)


def test_data_are_there_again_after_a_restart(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.set("word", "kept")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with redis_server(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.get("word") == b"kept"


def test_a_folder_too_deep_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30) / ("er and with a space" * 3)
    with redis_server(deep) as url, redis.Redis.from_url(url) as client:
        assert client.ping()
    assert (deep / "redis.log").exists()


def test_one_folder_has_one_server(tmp_path: Path) -> None:
    with redis_server(tmp_path), pytest.raises(ServiceFailed, match="already runs"), redis_server(tmp_path):
        pass


def test_the_environment_names_an_outside_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSMAIL_REDIS_URL", "redis://elsewhere:6379/3")
    with redis_server(tmp_path / "untouched") as url:
        assert url == "redis://elsewhere:6379/3"
    assert not (tmp_path / "untouched").exists()


def test_a_wrong_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_SERVER_BIN", str(tmp_path / "nothing"))
    with pytest.raises(ServiceMissing, match=r"REDIS_SERVER_BIN names .*nothing"), redis_server(tmp_path):
        pass


def test_without_any_program_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_SERVER_BIN", raising=False)
    monkeypatch.setattr(module, "programs_of_wheels", list)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceMissing, match="apt install redis-server"), redis_server(tmp_path):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from sample_host.services.redis_server import redis_server\n"
        f"with redis_server(pathlib.Path({str(tmp_path)!r})) as url:\n"
        "    print(url, flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root)
    assert parent.stdout
    with redis.Redis.from_url(parent.stdout.readline().strip()) as client:
        child = int(client.info()["process_id"])
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    wait_until_gone(child)


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return  # ended; nobody collects orphans in a container without an init
        time.sleep(0.02)
    pytest.fail(f"process {process} is still there")
