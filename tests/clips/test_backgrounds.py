import gc
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import Alpha, Image
from matte.clips.backgrounds import open_composer, open_ground
from matte.compositing.backgrounds import (
    Background,
    Blur,
    FilmFile,
    PictureFile,
    PlainColour,
    Transparent,
    parse_background,
)
from matte.compositing.blend import blend_over
from matte.compositing.composer import Ground
from matte.compositing.cutout import cut_out
from matte.compositing.defocus import defocus_background
from matte.compositing.fitting import Fit, fit_background
from matte.configs.settings import CompositingSettings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.pictures import read_image
from tests.media.clips import BASE, STEP, clip, damaged, mean_error, still
from tests.media.profiles import display_p3

SIZE = (48, 64)
TICK = STEP * BASE  # seconds from one frame to the next
DEPTHS = (np.uint8, np.uint16)
SETTINGS = CompositingSettings()


def frame(at: int = 0, dtype: type[Any] = np.uint8, size: tuple[int, int] = SIZE) -> Image:
    return Image((still(at, *size) * dtype(np.iinfo(dtype).max // 255)).astype(dtype))


def disc(size: tuple[int, int] = SIZE) -> Alpha:
    y, x = np.mgrid[: size[0], : size[1]]
    radius = np.hypot(y - size[0] / 2, x - size[1] / 2)
    return Alpha(np.clip((size[0] / 3 - radius) / 6 + 0.5, 0, 1).astype(np.float32))


def shown(ground: Ground, seconds: Fraction | int) -> NDArray[Any]:
    return np.asarray(ground.background_for(frame(), disc(), Fraction(seconds)))


def nearest(picture: NDArray[Any]) -> int:
    """Which of the clip's frames this is."""
    return int(np.argmin([mean_error(picture, still(at)) for at in range(20)]))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames, a STEP for each."""
    return clip(tmp_path_factory.mktemp("film") / "film.mp4", range(0, 5 * STEP, STEP))


@pytest.mark.parametrize("name", ["a.mp4", "a.MOV", "a/b.webm", "a.mkv", "a.m4v", "a.avi"])
def test_videos_are_films(name: str) -> None:
    assert parse_background(name) == FilmFile(Path(name))


@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_colour_is_plain(dtype: type[Any]) -> None:
    with open_ground(PlainColour((1, 2, 255))) as ground:
        found = ground.background_for(frame(0, dtype), disc(), Fraction(0))
    assert np.array_equal(found, [[(1, 2, 255)]])


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch", "tile"])
@pytest.mark.parametrize("dtype", DEPTHS)
def test_a_picture_is_read_and_fitted_once(tmp_path: Path, fit: Fit, dtype: type[Any]) -> None:
    path = tmp_path / "p.png"
    Pillow.fromarray(still(3, 40, 100)).save(path)
    with open_ground(PictureFile(path), fit, dtype=dtype) as ground:
        path.unlink()
        found = [ground.background_for(frame(at, dtype), disc(), Fraction(at)) for at in range(3)]
    scale = np.iinfo(dtype).max // 255
    expected = fit_background(Image((still(3, 40, 100) * dtype(scale)).astype(dtype)), *SIZE, fit)
    np.testing.assert_array_equal(found[0], expected)
    assert found[0] is found[1] is found[2]


def test_a_pictures_profile_is_left_behind(tmp_path: Path) -> None:
    path, profile = tmp_path / "p.png", display_p3()
    Pillow.fromarray(still(3)).save(path, icc_profile=profile)
    with open_ground(PictureFile(path)) as ground:
        found = shown(ground, 0)
    assert mean_error(found, still(3)) > 1
    assert mean_error(found, still(3)) < 60


@pytest.mark.parametrize("dtype", DEPTHS)
def test_its_own_ground_is_like_that_of_photos(dtype: type[Any]) -> None:
    size = (180, 320)
    image, alpha = frame(2, dtype, size), disc(size)
    with open_ground(Blur()) as ground:
        found = ground.background_for(image, alpha, Fraction(0))
    assert found.dtype == dtype
    expected = defocus_background(image, alpha, 0.02 * 320)
    seen = alpha < 0.9
    assert mean_error(np.asarray(found)[seen], np.asarray(expected)[seen]) < 1


@pytest.mark.parametrize("value", [0.5, 1])
def test_no_ground_to_blur_is_no_failure(value: float) -> None:
    alpha = Alpha(np.full(SIZE, value, np.float32))
    with open_ground(Blur()) as ground:
        assert ground.background_for(frame(), alpha, Fraction(0)).shape == (*SIZE, 3)


@pytest.mark.parametrize(("after", "last"), [("loop", [0, 1, 4, 0, 2]), ("hold", [4] * 5)])
def test_a_film_runs_in_time(film: Path, after: Any, last: list[int]) -> None:
    begin = Fraction(100, 7)
    with open_ground(FilmFile(film), film_end=after) as ground:
        found = [nearest(shown(ground, begin + TICK * at)) for at in range(5)]
        assert found == [0, 1, 2, 3, 4]
        over = [nearest(shown(ground, begin + TICK * at)) for at in (5, 6, 9, 10, 102)]
    assert over == last


def test_a_film_of_another_rate(film: Path) -> None:
    with open_ground(FilmFile(film), film_end="hold") as ground:
        found = [nearest(shown(ground, TICK * at / 3)) for at in range(15)]
    assert found == [at // 3 for at in range(15)]
    with open_ground(FilmFile(film), film_end="loop") as ground:
        found = [nearest(shown(ground, TICK * at * 2)) for at in range(10)]
    assert found == [0, 2, 4, 1, 3] * 2


def test_a_film_waits_while_nobody_looks(film: Path) -> None:
    with open_ground(FilmFile(film)) as ground:
        found = [nearest(shown(ground, TICK * at)) for at in (0, 1, 1_001, 1_002)]
    assert found == [0, 1, 1, 2]


def test_a_film_of_one_frame_and_one_that_starts_late(tmp_path: Path) -> None:
    late = clip(tmp_path / "late.mp4", [9000 + STEP * at for at in range(3)])
    with open_ground(FilmFile(late)) as ground:
        assert [nearest(shown(ground, TICK * at)) for at in range(4)] == [0, 1, 2, 0]
    one = clip(tmp_path / "one.mp4", (0,))
    with open_ground(FilmFile(one)) as ground:
        assert [nearest(shown(ground, TICK * at)) for at in range(4)] == [0] * 4


def test_a_gif_is_a_film_for_videos_and_a_picture_for_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    frames = [Pillow.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    assert parse_background(str(path)) == PictureFile(path)
    with pytest.warns(MatteWarning, match="the first is used"):
        read_image(path)
    with open_ground(PictureFile(path)) as ground:
        found = [shown(ground, Fraction(at, 10))[20, 20].tolist() for at in range(4)]
    assert [colour[0] > 200 for colour in found] == [True, False] * 2


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch", "tile"])
def test_films_are_fitted_and_of_the_frames_depth(tmp_path: Path, fit: Fit) -> None:
    deep = clip(
        tmp_path / "deep.mov",
        (0, STEP),
        codec="prores_ks",
        pixel_format="yuva444p10le",
        options={},
        size=(100, 40),
    )
    for dtype in DEPTHS:
        with open_ground(FilmFile(deep), fit) as ground:
            found = ground.background_for(frame(0, dtype), disc(), Fraction(0))
        assert found.shape == (*SIZE, 3)
        assert found.dtype == dtype
        expected = fit_background(frame(0, dtype, (40, 100)), *SIZE, fit)
        assert mean_error(np.asarray(found), expected) < 2


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    wide = clip(tmp_path / "wide.mp4", (0,), size=(64, 96), aspect=Fraction(2))  # shown as 4:3
    picture = tmp_path / "p.png"
    Pillow.fromarray(still(0, 96, 256)).save(picture)  # as 8:3
    cases: list[tuple[Background, int, Fit, NDArray[Any]]] = [
        (FilmFile(wide), 1, "stretch", still(0, 96, 64)),
        (FilmFile(wide), 2, "cover", still(0, 96, 64)),
        (PictureFile(picture), 2, "stretch", still(0, 96, 256)),
        (PictureFile(picture), 1, "cover", still(0, 96, 256)),
    ]
    for background, aspect, fit, expected in cases:
        with open_ground(background, aspect=Fraction(aspect)) as ground:
            found = shown(ground, 0)
        assert mean_error(found, fit_background(Image(expected), *SIZE, fit)) < 2


def test_a_damaged_film_shows_its_last_whole_frame(tmp_path: Path) -> None:
    whole = clip(
        tmp_path / "film.mov",
        range(0, 8 * STEP, STEP),
        codec="prores_ks",
        pixel_format="yuv422p10le",
        options={},
    )
    path = damaged(whole, 3, tmp_path / "damaged.mov")
    with (
        pytest.warns(MatteWarning, match=r"is damaged at 0\.13 s \(.*\): what was") as said,
        open_ground(FilmFile(path)) as ground,
    ):
        found = [nearest(shown(ground, TICK * at)) for at in range(16)]
    assert found == [0, 1, 2, 2, 4, 5, 6, 7] * 2
    assert len(said) == 1


def test_files_are_closed_and_frames_let_go(film: Path) -> None:
    def open_files() -> list[Path]:
        handles = Path("/proc/self/fd")
        return [h.readlink() for h in handles.iterdir() if h.is_symlink() and h.exists()]

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only where the system tells")
    with open_ground(FilmFile(film)) as ground:
        for at in range(200):  # 40 passes
            shown(ground, TICK * at)
            assert open_files().count(film) <= 1
        gc.collect()
    assert film not in open_files()


@pytest.mark.parametrize("name", ["none.mp4", "text.mp4", "none.png", "folder.mov"])
def test_what_can_not_be_read_is_said_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "folder.mov").mkdir()
    background = parse_background(str(tmp_path / name))
    with pytest.raises(PictureError), open_composer(background, SETTINGS):
        pass


def test_settings_are_checked() -> None:
    black = PlainColour((0, 0, 0))
    with (
        pytest.raises(SettingError, match="give loop or hold"),
        open_composer(black, SETTINGS, "bounce"),  # type: ignore[arg-type]  # on purpose
    ):
        pass
    with (
        pytest.raises(SettingError, match="--premultiply is for cut-outs"),
        open_composer(black, SETTINGS, premultiply=True),
    ):
        pass


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("blend", ["srgb", "linear"])
def test_the_subject_on_its_ground(film: Path, dtype: type[Any], blend: Any) -> None:
    image, alpha = frame(4, dtype), disc()
    backgrounds: list[Background] = [PlainColour((10, 200, 30)), FilmFile(film), Blur()]
    for background in backgrounds:
        with open_ground(background, dtype=dtype) as ground:
            expected = blend_over(
                image, alpha, ground.background_for(image, alpha, Fraction(0)), blend
            )
        with open_composer(background, CompositingSettings(blend=blend), dtype=dtype) as composer:
            found = composer.compose(image, image, alpha, Fraction(0))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == dtype


@pytest.mark.parametrize("premultiply", [False, True])
def test_cut_outs(premultiply: bool) -> None:
    with open_composer(Transparent(), SETTINGS, premultiply=premultiply) as composer:
        found = composer.compose(frame(), frame(), disc(), Fraction(0))
    np.testing.assert_array_equal(found, cut_out(frame(), disc(), premultiply))


def test_a_film_whose_times_go_back_stands_still_instead_of_hanging(tmp_path: Path) -> None:
    made: dict[str, Any] = {"codec": "mpeg2video", "rate": Fraction(25), "base": Fraction(1, 25)}
    later = clip(tmp_path / "a.ts", range(100, 110), options={"bf": "0"}, **made)
    earlier = clip(tmp_path / "b.ts", range(4), options={"bf": "0"}, **made)
    film = tmp_path / "film.ts"
    film.write_bytes(later.read_bytes() + earlier.read_bytes())
    with open_ground(FilmFile(film)) as ground:
        for second in range(3):
            shown = ground.background_for(
                frame(), Alpha(np.zeros(SIZE, np.float32)), Fraction(second)
            )
            assert shown.shape == (*SIZE, 3)
