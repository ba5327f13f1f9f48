"""Where images come from: IDX files, downloads and caches, random changes of images. It knows no network.

A path or a name comes in, uint8 arrays go out.
"""
