"""The page behind a real nginx: at a path of its own, by https as the browser sees it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.demo import Demo
from tests.served import free_port, served, wait_for
from tests.visitor import Visitor
