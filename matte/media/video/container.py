"""Video files opened, and their packets; what PyAV raises about them stops here."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from matte.errors import PictureError
from matte.media.pictures import READABLE
from matte.media.sources import error_text

# Demuxers that may open a file. The others take text for pictures, or open what a file names.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "m4v",
    "h264",
    "hevc",
    "av1",
    "obu",
    "ivf",
    "flv",
    "asf",
    "ogg",
    "mxf",
    "nut",
    "gif",
    "yuv4mpegpipe",
    "dv",
    "rm",
)
# Of PyAV, for a GPU's decoder, where there is no GPU or driver, or it does not know the codec.
NO_DECODER = (FFmpegError, NotImplementedError, RuntimeError, ValueError, OSError)
REMEDY = "give a whole MP4, MOV, MKV, WebM or another video file"


@contextmanager
def open_container(path: Path, gpu: int | None = None) -> Iterator[InputContainer]:
    """Open a video file, and close it afterwards; raise PictureError if it can't be opened.

    `gpu` is the number of the one that decodes; raises one of NO_DECODER if that can't.
    """
    check_video_file(path)
    options = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"}
    decoder = None
    if gpu is not None:
        decoder = HWAccel("cuda", str(gpu), allow_software_fallback=False)
    try:
        # With its protocol, for a name may look as if it began with one.
        container = av.open(
            f"file:{path}",
            "r",
            container_options=options,
            metadata_errors="replace",
            hwaccel=decoder,
        )
    except (FFmpegError, ValueError, OSError) as error:
        if decoder is not None:
            raise
        if path.suffix.lower() in READABLE:
            remedy = f"name a video, or cut it out with matte image {path}"
            raise PictureError(f"{path} is a picture", remedy) from error
        raise PictureError(
            f"{path} is not a readable video ({ffmpeg_error_text(error)})", REMEDY
        ) from error
    with container:
        yield container


def check_video_file(path: Path) -> None:
    """Raise PictureError unless there is a file that can be read and is not empty."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise PictureError(f"{path} is a folder", "name a video file")
        if not stat.S_ISREG(kind):
            raise PictureError(f"{path} is no file but a device or a pipe", "name a video file")
        with path.open("rb") as file:
            if not file.read(1):
                raise PictureError(f"{path} is empty", REMEDY)
    except (OSError, ValueError) as error:
        raise PictureError(
            f"can't read {path} ({error_text(error)})", "name a video file"
        ) from error


def main_video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream to show: the one marked as the default, else the first.

    Cover pictures don't count. Raises PictureError if there is no other.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        kinds = sorted({stream.type for stream in container.streams})
        only = f"only {' and '.join(kinds)}" if kinds else "nothing"
        raise PictureError(f"{path} has no video stream, {only}", REMEDY)
    marked = [stream for stream in streams if stream.disposition & Disposition.default]
    return (marked or streams)[0]


def discard_other_streams(container: InputContainer, indices: frozenset[int]) -> None:
    """Let the demuxer pass over every stream but those with these indices."""
    for stream in container.streams:
        if stream.index not in indices:
            stream.discard = Discard.all


def demux_packets(container: InputContainer, *streams: Stream) -> Iterator["Packet[Stream]"]:
    """Yield the packets of these streams, or of all.

    Streams that begin later in the file have none.
    """
    try:
        yield from container.demux(*streams)
    except IndexError:  # in the end PyAV looks for such a stream, too, and has none
        return


def count_frames(path: Path) -> int:
    """Return how many frames a video file holds, up to where it is damaged or cut off.

    0 if it can't be opened. Nothing is decoded: each whole packet is a frame.
    """
    frames = 0
    with suppress(PictureError, FFmpegError, ValueError, OSError), open_container(path) as opened:
        for packet in demux_packets(opened, main_video_stream(opened, path)):
            if packet.is_corrupt:
                break
            frames += packet.size > 0
    return frames


def ffmpeg_error_text(error: Exception) -> str:
    """Return what FFmpeg says of an error, without its numbers and names."""
    return (getattr(error, "strerror", None) or error_text(error)).replace(
        " when processing input", ""
    )
