"""Which format a picture's file has, by its first bytes."""

from matte.errors import PictureError

# What files begin with, the format, and the module of Pillow that decodes it. No others are tried:
# some of Pillow's start programs.
SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG", "Jpeg"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "Png"),
    (b"RIFF", "WEBP", "WebP"),
    (b"II*\0", "TIFF", "Tiff"),
    (b"MM\0*", "TIFF", "Tiff"),
    (b"II+\0", "TIFF", "Tiff"),
    (b"MM\0+", "TIFF", "Tiff"),
    (b"BM", "BMP", "Bmp"),
    (b"GIF8", "GIF", "Gif"),
    (b"P5", "PPM", "Ppm"),
    (b"P6", "PPM", "Ppm"),
)
HEIF = "HEIF"
AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1")
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")
REMEDY = "give a whole JPEG, PNG, TIFF, WebP, AVIF or BMP of 8 or 16 bits"


def picture_format(head: bytes, name: str) -> tuple[str, str]:
    """Return the format of a file with these first bytes, and Pillow's module for it.

    Raises PictureError, which calls the file by its name, if matte reads no such files.
    """
    for start, kind, module in SIGNATURES:
        if head.startswith(start):
            return kind, module
    if head[4:8] == b"ftyp":
        # The brand "mif1" alone says only that it is one of the two; the list behind it says which.
        brands = {head[at : at + 4] for at in (8, *range(16, len(head), 4))}
        if not brands.isdisjoint(HEIC_BRANDS):
            return HEIF, "Heif"
        if head[8:12] in AVIF_BRANDS:
            return "AVIF", "Avif"
    raise PictureError(f"{name} is {'not a readable picture' if head else 'empty'}", REMEDY)
