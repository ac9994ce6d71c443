"""The files of a video, written frame by frame: composite, and matte and foreground beside it."""

import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.clips.frames import VideoFrame
from matte.clips.linear_frames import linear_colours, linear_cutout
from matte.clips.output_files import VideoFiles
from matte.configs.times import format_time
from matte.errors import MatteWarning, OutputError, SettingError
from matte.files import check_output, write_pending
from matte.imaging.bit_depth import quantise_alpha
from matte.media.video.animations import AnimationWriter
from matte.media.video.clip import Clip
from matte.media.video.codecs import CODECS, FORMATS, choose_codec, default_codec
from matte.media.video.facts import ClipFacts
from matte.media.video.hdr import BT709_TAGS, HdrLight, HdrMode, hdr_light, sdr_facts
from matte.media.video.sequences import SequenceWriter, is_linear_sequence, is_sequence
from matte.media.video.unfinished import FrameWriter, OutputBlock, publish_together
from matte.media.video.writer import ClipWriter
from matte.placement import PendingFile, pending_file

EDITING_CODECS = ("prores", "ffv1")  # not for players: mattes get 16 bits


@dataclass(frozen=True, slots=True, eq=False)
class _OutputStream:
    """One output: its writer, which pixels of a frame it gets, and whether it shifts times to 0."""

    writer: FrameWriter
    pixels: Callable[[VideoFrame], NDArray[Any]]
    shifts_times: bool = False


@dataclass(frozen=True, slots=True)
class PartialFile:
    """What was kept of an unfinished file, and how many frames were found in it."""

    path: Path
    frames: int


class VideoWriters(OutputBlock):
    """Writes a video's files together, within a `with` block.

    It raises before the first frame if a file can't be written, and then none is made. All files
    are whole before the first gets its name, and all get theirs or none does: then they are
    `written`. If the block is left by an exception, or one of them can't be ended, unfinished files
    are saved beside, as `partial`.
    """

    def __init__(
        self,
        files: VideoFiles,
        clip: Clip,
        sources: Iterable[Path] = (),
        start: float = 0,
        end: float | None = None,
    ) -> None:
        """Open the files for the clip's frames from `start` to `end`, in seconds.

        `sources` are other files that are read. The composite gets the clip's sound, subtitles,
        chapters and metadata.
        """
        read = [clip.path, *sources]
        files.check(read)
        self.written: list[Path] = []
        self.partial: list[PartialFile] = []
        self.report: Callable[[], bytes] = bytes  # called when all frames are written
        self.review: Callable[[], bytes] = bytes  # and so is this
        self._report_path, self._review_path = files.report, files.review
        self._overwrite = files.overwrite
        self._is_empty, self._clip_seconds = True, clip.facts.duration
        self._first_pts = clip.facts.start
        self._pts_shift = None if start > 0 else 0
        self._streams: list[_OutputStream] = []
        with ExitStack() as unfinished:
            unfinished.callback(self.close)
            self._open_composite(files, clip, start, end)
            self._open_others(files, clip.facts)
            for each in self._streams:
                each.writer.restrict(read)
            unfinished.pop_all()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that frames are written to."""
        return tuple(each.writer.path for each in self._streams)

    @property
    def result_paths(self) -> tuple[Path, ...]:
        """The same, and the sheet of doubtful moments if one is wanted."""
        return self.paths if self._review_path is None else (*self.paths, self._review_path)

    def write(self, frame: VideoFrame) -> None:
        """Add a frame to each of the files."""
        self._is_empty = False
        if self._pts_shift is None:
            self._pts_shift = frame.pts - self._first_pts
        for each in self._streams:
            pts = frame.pts if each.shifts_times else frame.pts - self._pts_shift
            each.writer.write(each.pixels(frame), pts, frame.duration)

    def finish(self) -> None:
        """Complete all files, still under temporary names; raise OutputError without a frame."""
        if self._is_empty and self._streams:
            length = self._clip_seconds
            told = "" if length is None else f": the clip is {format_time(float(length))} long"
            raise OutputError(f"no frames for {self.paths[0]}", f"choose another range{told}")
        for each in self._streams:
            each.writer.finish()

    def publish(self) -> None:
        """Rename all files to their final names, report and review with them; or none of them."""
        with ExitStack() as remaining:
            others = [
                self._write_aside(path, content(), remaining)
                for path, content in (
                    (self._report_path, self.report),
                    (self._review_path, self.review),
                )
                if path is not None
            ]
            publish_together([each.writer for each in self._streams], others)
        self.written = list(self.paths)

    def keep_partial(self) -> None:
        """Save unfinished files under names with .partial in them."""
        for each in self._streams:
            each.writer.keep_partial()
            if each.writer.partial is not None:
                kept = PartialFile(each.writer.partial, each.writer.partial_frames)
                self.partial.append(kept)

    def close(self) -> None:
        """Close all files; those that have neither a final nor a partial name are removed."""
        with ExitStack() as every:
            for each in self._streams:
                every.callback(each.writer.close)

    def _write_aside(self, path: Path, content: bytes, remaining: ExitStack) -> PendingFile:
        """Return a file under a temporary name, which is removed with `remaining`."""
        check_output(path, self._overwrite)
        pending = pending_file(path, self._overwrite)
        write_pending(pending, content, remaining)
        return pending

    def _open_composite(
        self, files: VideoFiles, clip: Clip, start: float, end: float | None
    ) -> None:
        """Open the composite; warn if its file can't hold the clip's sound."""
        if files.composite is None:
            return
        channels, codec = 4 if files.transparent else 3, files.codec
        facts, shown = _shown_facts(clip.facts, files.composite, channels, codec)
        writer = _writer(files.composite, facts, channels, files, codec, files.crf, files.bitrate)
        light, is_clip = hdr_light(facts.colours), isinstance(writer, ClipWriter)
        if not is_linear_sequence(files.composite):
            stream = _OutputStream(writer, lambda frame: shown(frame.composite), is_clip)
        elif files.transparent:
            stream = _OutputStream(writer, lambda frame: linear_cutout(frame, light))
        else:
            stream = _OutputStream(writer, lambda frame: linear_colours(frame.composite, light))
        self._streams.append(stream)
        if isinstance(writer, ClipWriter):
            writer.copy_from(clip, start, end)
        elif sounds := [track for track in clip.facts.tracks if track.kind == "audio"]:
            text = f"left out: {sounds[0]} ({files.composite.name} can't hold sound)"
            warnings.warn(text, MatteWarning, stacklevel=4)

    def _open_others(self, files: VideoFiles, facts: ClipFacts) -> None:
        """Open the alpha's and the foreground's files."""
        if files.alpha is not None:
            codec = _codec_for(files.codec, files.alpha)
            dtype = np.uint16 if _keeps_16_bits(files.alpha, codec) else np.uint8
            grey = replace(facts, colours=BT709_TAGS) if hdr_light(facts.colours) else facts
            writer = _writer(files.alpha, grey, 1, files, codec, deep=dtype == np.uint16)
            if is_linear_sequence(files.alpha):
                stream = _OutputStream(writer, lambda frame: frame.alpha)
            else:
                stream = _OutputStream(writer, lambda frame: quantise_alpha(frame.alpha, dtype))
            self._streams.append(stream)
        if files.foreground is not None:
            codec = _codec_for(files.codec, files.foreground)
            facts, shown = _shown_facts(facts, files.foreground, 3, codec)
            writer = _writer(files.foreground, facts, 3, files, codec)
            light = hdr_light(facts.colours)
            if is_linear_sequence(files.foreground):
                stream = _OutputStream(
                    writer, lambda frame: linear_colours(frame.foreground, light)
                )
            else:
                stream = _OutputStream(writer, lambda frame: shown(frame.foreground))
            self._streams.append(stream)


def clip_for_files(clip: Clip, files: VideoFiles, hdr: HdrMode) -> Clip:
    """Return the clip as it is read for its files: HDR in its own light, or tone-mapped to SDR.

    SDR is what `hdr` asks for, and what a composite gets that can't hold HDR, with a warning.
    """
    if clip.light is None or (hdr == "keep" and _holds_hdr(files)):
        return clip
    if hdr == "keep" and files.composite is not None:
        _warn_of_sdr(files.composite, clip.light)
    return clip.tone_mapped()


def _holds_hdr(files: VideoFiles) -> bool:
    """Return whether the composite's file can hold HDR, or there is none."""
    channels = 4 if files.transparent else 3
    return files.composite is None or _keeps_depth(files.composite, channels, files.codec)


def _warn_of_sdr(path: Path, light: HdrLight) -> None:
    """Warn that a file gets SDR."""
    text = f"{path.name} can't hold {light.name}: it is tone-mapped to SDR"
    warnings.warn(text, MatteWarning, stacklevel=6)


def _shown_facts(
    facts: ClipFacts, path: Path, channels: int, codec: str | None
) -> tuple[ClipFacts, Callable[[NDArray[Any]], NDArray[Any]]]:
    """Return a clip's facts for a file, and what turns pixels into what that file can show.

    HDR takes more than 8 bits and tags: where a file has none, it gets SDR, with a warning.
    """
    light = hdr_light(facts.colours)
    if light is None or _keeps_depth(path, channels, codec):
        return facts, lambda pixels: pixels
    _warn_of_sdr(path, light)
    return sdr_facts(facts), light.to_sdr_with_alpha


def _keeps_depth(path: Path, channels: int, codec: str | None) -> bool:
    """Return whether a file has tags for its colours, and more than 8 bits; or linear light."""
    if is_linear_sequence(path):
        return True
    if is_sequence(path) or path.suffix.lower() not in FORMATS:
        return False
    kind = "rgba-deep" if channels == 4 else "rgb-deep"
    return choose_codec(path, codec, kind)[1] == kind


def _writer(
    path: Path,
    facts: ClipFacts,
    channels: int,
    files: VideoFiles,
    codec: str | None,
    crf: int | None = None,
    bitrate: int | None = None,
    deep: bool | None = None,
) -> FrameWriter:
    """Return the writer for a file of this name: of a clip, of pictures or of an animation."""
    if not is_sequence(path) and path.suffix.lower() in FORMATS:
        return ClipWriter(
            path,
            facts,
            channels=channels,
            deep=deep,
            codec=codec,
            crf=crf,
            bitrate=bitrate,
            overwrite=files.overwrite,
        )
    if codec is not None or crf is not None or bitrate is not None:
        cause = f"{path.name} has neither codec nor quality to choose"
        raise SettingError(cause, "leave --codec, --crf and --bitrate out, or name a clip")
    writer = SequenceWriter if is_sequence(path) else AnimationWriter
    return writer(path, facts, overwrite=files.overwrite)


def _codec_for(codec: str | None, path: Path) -> str | None:
    """Return the codec that was asked for if a file with this ending can have it, else None."""
    if codec is None or codec not in CODECS:
        return None
    return codec if path.suffix.lower() in CODECS[codec].endings else None


def _keeps_16_bits(path: Path, codec: str | None) -> bool:
    """Return whether a matte written there has more than the 8 bits that every player shows."""
    if is_sequence(path):
        return True
    suffix = path.suffix.lower()
    return suffix in FORMATS and (codec or default_codec(suffix, "grey")) in EDITING_CODECS
