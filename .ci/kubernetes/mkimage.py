#!/usr/bin/env python3
"""mkimage.py NAME:TAG FOLDER OUT.tar CONFIG: a folder as an image of one layer, in the format of `docker save`.

CONFIG is JSON: Entrypoint, Cmd, User and so on. Owners and modes are those of the folder.
"""
import hashlib, io, json, platform, sys, tarfile

name, root, out, config = sys.argv[1:]


def timeless(info):  # the same folder is always the same image
    info.mtime = 0
    info.uname = info.gname = ""
    return info


layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as tar:
    tar.add(root, arcname=".", filter=timeless)
layer = layer.getvalue()
image = json.dumps({
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
    "os": "linux",
    "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], **json.loads(config)},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    "history": [{"created_by": "mkimage"}],
}).encode()
file = hashlib.sha256(image).hexdigest() + ".json"
manifest = json.dumps([{"Config": file, "RepoTags": [name], "Layers": ["layer/layer.tar"]}]).encode()
with tarfile.open(out, "w") as tar:
    for path, data in ((file, image), ("layer/layer.tar", layer), ("manifest.json", manifest)):
        info = tarfile.TarInfo(path)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
