import pickle

import pytest

from matte.configs.python_names import in_python, python_names
from matte.errors import BackendError, PictureError

UNCHANGED = (
    "run 'matte compile person --precision fp16'",
    "compile it for such pictures: matte compile NAME --min … --max …",
    "give --min ≤ --opt ≤ --max",
    "can't read a.jpg (No such file or directory): name a picture",
    "it's MODNet's",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raise --max-pixels or --max-memory, or", "raise max_pixels or max_memory, or"),
        ("set --max-memory to what is free", "set max_memory to what is free"),
        ("and --max-memory is 4 GiB", "and max_memory is 4 GiB"),
        ("run 'matte doctor', or use --device cpu", "run 'matte doctor', or use device='cpu'"),
        ("use --precision auto, or another --backend", "use precision='auto', or another backend"),
        ("try another --width, or --fallback modnet", "try another width, or fallback='modnet'"),
        ("choose another name or add --overwrite", "choose another name or add overwrite=True"),
        ("or give a background with --bg", "or give a background"),
        ("use --bg transparent", "use background='transparent'"),
        ("--subject 1 and 2 begin", "subject='1' and 2 begin"),
        ("so --subject means nothing", "so subject means nothing"),
        ("a run with --modnet has no mask", "a run with modnet has no mask"),
        ("leave --codec, --crf and --bitrate out", "leave codec, crf and bitrate out"),
        ("another network with --segmenter", "another network with segmenter"),
        ("a rough mask with --mask-in, a", "a rough mask as mask, a"),
        ("--preset balanced animals, too", "preset='balanced' animals, too"),
        *((text, text) for text in UNCHANGED),
    ],
)
def test_options_become_arguments(text: str, expected: str) -> None:
    assert in_python(text) == expected
    assert in_python(expected) == expected


def test_errors_keep_their_kind_and_say_what_python_has() -> None:
    error = BackendError("no backend has a gpu here", "use --device cpu")
    with pytest.raises(BackendError) as caught, python_names():
        raise error
    assert caught.value is error
    assert str(error) == "no backend has a gpu here: use device='cpu'"
    assert (error.cause, error.remedy) == ("no backend has a gpu here", "use device='cpu'")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_file_that_is_called_as_an_option_keeps_its_name_in_quotes() -> None:
    with pytest.raises(PictureError, match=r"^can't read '--crf': name a picture$"), python_names():
        raise PictureError("can't read '--crf'", "name a picture")
