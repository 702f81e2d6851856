"""Folders and recordings that lie elsewhere, `s3://calls/corpus`, by fsspec.

    is_far("s3://calls/corpus")                    # True, and so is Path("s3://calls/corpus")
    far_file(Path("s3://calls/1.wav"))             # its size, its first bytes, its content
    folder = fetched("s3://runs/first")            # a folder here that holds the same files
    with kept("s3://runs/second") as folder: ...   # what is written there is put up

A path that begins with one of `KINDS` is far, however many slashes are left of it: `pathlib` makes
one of two. Recordings are read where they lie; a folder that is worked in has a mirror below the
cache folder. Who may do what is for the environment to say, never for an address.
"""

from maeum.storage.addresses import KINDS, absolute, address_of, as_typed, is_far, spelled
from maeum.storage.far_files import FarFile, far_file, files_below
from maeum.storage.mirrors import fetched, keeps, kept, send, working_folder

__all__ = [
    "KINDS",
    "FarFile",
    "absolute",
    "address_of",
    "as_typed",
    "far_file",
    "fetched",
    "files_below",
    "is_far",
    "keeps",
    "kept",
    "send",
    "spelled",
    "working_folder",
]
