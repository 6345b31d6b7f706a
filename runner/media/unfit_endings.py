"""The meaning of file endings that no edition of the API takes: other formats, playlists, pages, archives."""

# Only endings that say what a file is: an address with any other may be what its asset declares.
_ENDINGS = {
    "a format that the provider does not take": (
        "mov qt avi mkv webm m4v mpg mpeg mpe m1v m2v m2p mjpg mjpeg mjp wmv asf flv f4v ogv ogm ogx "
        "ts mts m2ts m2t tp ps vob 3gp 3gpp 3g2 rm rmvb divx dv mxf nut y4m h264 264 h265 265 hevc av1 ivf r3d braw "
        "heic heif hif avif avifs gif apng bmp dib tif tiff svg svgz psd psb ai eps raw dng cr2 cr3 nef arw orf rw2 "
        "raf jxl jp2 j2k jpf jpx jxr wdp ico cur icns tga dds exr hdr pcx ppm pgm pbm pnm xcf sketch fig "
        "wma aiff aif aifc mid midi amr awb ac3 eac3 ec3 dts caf au snd ra mka mp2 mpga m4b m4p m4r ape wv tta dsf dff "
        "voc gsm spx weba"
    ),
    "a playlist, not the media": "m3u8 m3u mpd pls xspf asx wpl ism f4m smil",
    "a page, not the media": "html htm xhtml shtml mhtml pdf md txt rtf doc docx odt ppt pptx odp key",
    "text, not the media": "xml json yaml yml csv srt vtt ass",
    "an archive": "zip tar gz tgz bz2 xz 7z rar zst iso dmg",
    "a project, not the media": "blend aep prproj drp fcpxml otio edl obj fbx glb gltf usdz",
}
_LABEL_OF_ENDING = {f".{ending}": label for label, endings in _ENDINGS.items() for ending in endings.split()}


def label_of_unfit_ending(ending: str) -> str | None:
    """The meaning of a file ending (lower case, with its dot); None for a usable ending, and for one that says nothing.

    A script (`.php`, `.aspx`, `.cgi`) may send anything, and the end of a name (`.1`, `.final`) is no format.
    """
    return _LABEL_OF_ENDING.get(ending)
