from __future__ import annotations

import re
from pathlib import Path

import pytest

from dmd2_demo.errors import DemoError
from dmd2_demo.settings import Settings


def test_defaults_are_local_private_and_unlimited() -> None:
    assert Settings.read([], {}) == Settings(family="auto", host="127.0.0.1", port=None, share=False, budget=None)


def test_every_flag_is_read() -> None:
    flags = "--family sdxl --host 0.0.0.0 --port 7861 --share --budget 12.5"
    assert Settings.read(flags.split(), {}) == Settings("sdxl", "0.0.0.0", 7861, True, 12_500_000_000)


def test_every_flag_is_also_an_environment_variable() -> None:
    environment = {
        "DMD2_FAMILY": "embedded",
        "DMD2_HOST": "::1",
        "DMD2_PORT": "80",
        "DMD2_SHARE": "yes",
        "DMD2_BUDGET": "0.5",
    }
    assert Settings.read([], environment) == Settings("embedded", "::1", 80, True, 500_000_000)


def test_gradios_own_host_counts_where_ours_is_not_set() -> None:
    assert Settings.read([], {"GRADIO_SERVER_NAME": "0.0.0.0"}).host == "0.0.0.0"
    assert Settings.read([], {"GRADIO_SERVER_NAME": "0.0.0.0", "DMD2_HOST": "::1"}).host == "::1"


def test_empty_variable_is_not_set() -> None:
    names = ("FAMILY", "HOST", "PORT", "SHARE", "BUDGET", "BASES", "ALLOW_CUSTOM_BASES", "MEMORY", "ATTENTION")
    empty = {f"DMD2_{name}": "" for name in names} | {"GRADIO_SERVER_NAME": "", "GRADIO_SERVER_PORT": " "}
    assert Settings.read([], empty) == Settings()


def test_host_may_be_written_as_in_a_url() -> None:
    assert Settings.read(["--host", "[::1]"], {}).host == "::1"


def test_tilde_is_the_home_though_no_shell_has_seen_it() -> None:
    assert Settings.read([], {"DMD2_BASES": "~/bases.toml"}).bases == Path.home() / "bases.toml"


def test_memory_attention_and_precision_are_chosen_by_name() -> None:
    environment = {"DMD2_ATTENTION": "xformers", "DMD2_PRECISION": "bfloat16"}
    assert Settings.read(["--memory", "offload"], environment) == Settings(
        memory="offload", attention="xformers", precision="bfloat16"
    )


def test_flag_wins_over_environment() -> None:
    assert Settings.read(["--port", "1"], {"DMD2_PORT": "2"}).port == 1


@pytest.mark.parametrize(
    ("value", "share"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("no", False), ("", False)]
)
def test_switch_in_the_environment_reads_the_usual_words(value: str, share: bool) -> None:
    assert Settings.read([], {"DMD2_SHARE": value}).share is share


@pytest.mark.parametrize(
    "flags",
    [
        "--family sd15",
        "--port 0",
        "--port 65536",
        "--port http",
        "--budget 0",
        "--budget -1",
        "--budget nan",
        "--budget inf",
        "--budget lots",
        "--memory swap",
        "--attention flash",
        "--precision float8",
        "--trusted-proxies nginx",
        "--trusted-proxies 10.0.0.1,10.0.0.0/33",
        "--what",
    ],
)
def test_bad_flag_is_a_sentence(flags: str) -> None:
    flag, *values = flags.split()
    with pytest.raises(DemoError, match=re.escape(flag)) as raised:
        Settings.read([flag, *values], {})
    sentence = str(raised.value)
    assert all(value.split(",")[-1] in sentence for value in values)
    assert "\n" not in sentence
    assert "_" not in sentence, "no name of ours"


@pytest.mark.parametrize("told", ["10.0.0.1", "127.0.0.1, ::1", "10.1.2.3/8", "*"])
def test_proxies_are_addresses_networks_or_all(told: str) -> None:
    assert Settings.read(["--trusted-proxies", told], {}).trusted_proxies == told


@pytest.mark.parametrize("name", ["FAMILY", "PORT", "SHARE", "BUDGET", "QUEUE_PER_VISITOR"])
def test_bad_environment_variable_is_a_sentence(name: str) -> None:
    with pytest.raises(DemoError, match=r"'perhaps' is"):
        Settings.read([], {f"DMD2_{name}": "perhaps"})


def test_help_names_every_flag_and_the_way_of_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Settings.read(["--help"], {})
    shown = capsys.readouterr().out
    assert all(flag in shown for flag in ("--family", "--host", "--port", "--share", "--budget", "DMD2_"))
