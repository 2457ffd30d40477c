"""The page behind a real nginx, with the documented configuration: at a path of its own, by https."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from gradio_client import handle_file
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.demo import Demo
from tests.served import free_port, served, wait_for
from tests.visitor import connect

NGINX = os.environ.get("NGINX") or shutil.which("nginx", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NGINX is None, reason="There is no nginx here; scripts/nginx installs Debian's."),
]

CONFIGURATION = Path(__file__).parents[2] / "docs" / "nginx.conf"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address at the proxy. Whatever asks for another path there gets 404."""
    folder = tmp_path_factory.mktemp("nginx")
    environment = os.environ | {"GRADIO_ROOT_PATH": "/dmd2"}
    command = [sys.executable, "app.py", "--family", "embedded", "--trusted-proxies", "127.0.0.1"]
    page, address = served(command, environment, folder / "page")
    port = free_port()
    _certify(folder)
    (folder / "page.conf").write_text(CONFIGURATION.read_text().replace("http://127.0.0.1:7860", address))
    places = "".join(f"  {name}_temp_path {folder}/{name};\n" for name in _TEMPORARY)
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n  access_log off;\n{places}"
        f"  server {{\n    listen 127.0.0.1:{port} ssl;\n    ssl_certificate {folder}/certificate;\n"
        f"    ssl_certificate_key {folder}/key;\n    include {folder}/page.conf;\n  }}\n}}\n"
    )
    log = folder / "log"
    with log.open("wb") as file:
        proxy = subprocess.Popen([str(NGINX), "-c", folder / "nginx.conf", "-e", "stderr"], stderr=file)
    try:
        wait_for(port, proxy, log)
        yield f"https://127.0.0.1:{port}/dmd2/"
    finally:
        for program in (proxy, page):
            program.terminate()
            program.wait(30)


def _certify(folder: Path) -> None:
    """A certificate that nobody vouches for."""
    openssl = shutil.which("openssl")
    assert openssl
    names = ["-keyout", str(folder / "key"), "-out", str(folder / "certificate"), "-subj", "/CN=127.0.0.1"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def visited(visit: Visit, behind: str) -> Iterator[Page]:
    """The page in a browser, where nothing is asked of any other place and nothing is refused."""
    page = visit(ignore_https_errors=True)
    amiss: list[str] = []
    page.on("response", lambda got: amiss.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    page.on(
        "request", lambda asked: None if asked.url.startswith((behind, "data:", "blob:")) else amiss.append(asked.url)
    )
    page.on("pageerror", lambda error: amiss.append(str(error)))
    page.goto(behind.rstrip("/"))  # without the slash one is sent to it
    amiss[:] = [one for one in amiss if one != behind.rstrip("/")]
    try:
        expect(page.get_by_label("Prompt", exact=True)).not_to_have_value("")  # it is ready
    except AssertionError as error:
        raise AssertionError(f"The page did not get ready; refused or failed: {amiss}") from error
    yield page
    page.context.close()
    assert amiss == []


def test_a_visitor_sees_a_picture_and_downloads_it(visited: Page, behind: str) -> None:
    demo = Demo(visited)
    demo.make(41)
    assert demo.shown().startswith(behind)
    image = demo.image(demo.gallery().first)
    assert "dmd2" in image.info
    assert image.size == (128, 128)


def test_a_visitor_unloads_nothing(visited: Page) -> None:
    visited.get_by_text("Loaded models").click()
    visited.get_by_role("button", name="Unload").click()
    expect(visited.get_by_text("Only whoever runs this page can unload its models.")).to_be_visible()


def test_a_phone_can_put_it_among_its_apps(visited: Page, behind: str) -> None:
    link = visited.locator("link[rel=manifest]")
    expect(link).to_have_attribute("href", "manifest.json")
    place = link.evaluate("link => link.href")
    assert place == urljoin(behind, "manifest.json")
    manifest = visited.request.get(place).json()
    assert urljoin(place, manifest["start_url"]) == behind
    for icon in manifest["icons"]:
        image = Image.open(io.BytesIO(visited.request.get(urljoin(place, icon["src"])).body()))
        assert f"{image.width}x{image.height}" == icon["sizes"]


def test_stop_ends_a_request(visited: Page) -> None:
    demo = Demo(visited)
    demo.ask(42, Pictures=8)
    expect(demo.step("Picture . of 8, step")).to_be_visible()
    demo.button("Stop").click()
    demo.wait_until_idle()


def test_a_program_asks_uploads_and_downloads(behind: str, tmp_path: Path) -> None:
    client = connect(behind, ssl_verify=False, download_files=tmp_path)
    drawing = tmp_path / "drawing.png"
    Image.new("RGB", (200, 100), "red").save(drawing)
    gallery, seed, _ = client.predict(prompt="a car", image=handle_file(drawing), seed=7, api_name="/canny")
    assert seed == 7
    with Image.open(gallery[0]["image"]) as image:
        assert image.info["dmd2"]
    assert client.predict(api_name="/status")["family"] == "embedded"
