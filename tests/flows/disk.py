"""A disk of a test's own, in an image on a loop device, whose power can be cut and which can be made to fail."""

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHUTDOWN = 0x8004587D
"""``_IOR('X', 125, __u32)``, which ext4 and XFS share."""

WITHOUT_FLUSH = 2
TOOLS = ("mkfs.ext4", "mount", "umount", "losetup")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60, env={"PATH": PATH})


class Disk:
    """A small file system in a file, whose power can be cut."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "disk.img"
        self.mounted = folder / "disk"
        self.mounted.mkdir()
        with self.image.open("wb") as image:
            image.truncate(48 * 1024 * 1024)
        run("mkfs.ext4", "-q", "-F", str(self.image))

    def mount(self) -> None:
        """Mount it so that nothing is written back by mere lapse of time."""
        run("mount", "-o", "loop,commit=900", str(self.image), str(self.mounted))

    def cut(self) -> None:
        """Cut the power."""
        descriptor = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        """Unmount it, if it is mounted."""
        if self.mounted.is_mount():
            run("umount", str(self.mounted))

    def fail(self) -> None:
        """Let the kernel find an error, after which it lets nobody write."""
        run("mount", "-o", "remount,errors=remount-ro", str(self.mounted))
        lines = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
        device = next(Path(device).name for device, where, *_ in lines if where == str(self.mounted))
        Path("/sys/fs/ext4", device, "trigger_fs_error").write_text("1")

    def repair(self) -> None:
        """Unmount it, check it, and mount it again."""
        self.unmount()
        subprocess.run(["e2fsck", "-fy", self.image], check=False, capture_output=True, timeout=60, env={"PATH": PATH})
        self.mount()


@contextmanager
def disk_for(purpose: str, *more_tools: str) -> Iterator[Disk]:
    """Mount a disk in a folder that pytest does not clear away: a run that is killed leaves it mounted.

    Args:
        purpose: What is skipped, in words, where a disk cannot be had.
        more_tools: The programs that it takes besides those of every disk.
    """
    lacking = [tool for tool in (*TOOLS, *more_tools) if not shutil.which(tool, path=PATH)]
    if os.geteuid() != 0 or lacking:
        pytest.skip(f"{purpose} takes root and {', '.join((*TOOLS, *more_tools))}")
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    disk = Disk(folder)
    try:
        disk.mount()
        yield disk
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{purpose} takes a loop device and the right to mount it: {error.stderr.decode().strip()}")
    finally:
        disk.unmount()
        shutil.rmtree(folder)
