"""The stand-in for the public address of a material, in requests that are shown and not sent."""

from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference


def placeholder(material: Material) -> str:
    """The stand-in for a material without a public address; a remote material has its own address."""
    match material:
        case LocalFile():
            part = "" if material.part is None else f"&part={material.part}"
            return f"file:{material.path}#sha256={material.sha256}{part}"
        case RemoteFile():
            return material.url
        case TakeReference():
            return str(material)
