# SPDX-License-Identifier: MIT
"""Writing wheels and sdists: the same bytes from the same files."""

import base64
import gzip
import hashlib
import io
import os
import stat
import tarfile
import time
import zipfile

# Of all files in an archive: what SOURCE_DATE_EPOCH says, or the oldest that a zip can.
EPOCH = max(315532800, int(os.environ.get("SOURCE_DATE_EPOCH") or 315532800))


class Wheel:
    """A zip with a RECORD; finish() writes that."""

    def __init__(self, path, dist_info):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
        self.dist_info, self.rows = dist_info, []

    def add(self, name, content, executable=False):
        self._write(name, content, executable)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        self.rows.append(f"{name},sha256={digest},{len(content)}\n")

    def _write(self, name, content, executable):
        info = zipfile.ZipInfo(name, time.gmtime(EPOCH)[:6])
        mode = stat.S_IFREG | (0o755 if executable else 0o644)
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(info, content)

    def finish(self):
        name = f"{self.dist_info}/RECORD"
        self._write(name, "".join([*self.rows, f"{name},,\n"]).encode(), False)
        self.zip.close()


def write_sdist(path, top, files):
    """A .tar.gz of {name: (content, executable)} below the folder `top`."""
    with open(path, "wb") as raw, \
            gzip.GzipFile("", "wb", 9, raw, mtime=EPOCH) as packed, \
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, (content, executable) in sorted(files.items()):
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mtime = len(content), EPOCH
            info.mode = 0o755 if executable else 0o644
            tar.addfile(info, io.BytesIO(content))
