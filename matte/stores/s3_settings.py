"""Where S3 lies and who asks: by the environment, else by a profile in AWS's own files.

The profile is that which AWS_PROFILE names, or "default", in ~/.aws/config and ~/.aws/credentials.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from matte.errors import SettingError

KEYS = {
    "AWS_ACCESS_KEY_ID": "aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
    "AWS_SESSION_TOKEN": "aws_session_token",
}
# What a profile calls the others, and the variables of each: the first that is set holds.
PLACES = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint_url": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
}
# In a profile whose keys somebody has to be asked for: a role, a login, a program.
ASKED_FOR = ("role_arn", "sso_session", "sso_start_url", "credential_process", "login_session")

# By which a machine in a cloud says where its role's keys are; obstore asks there.
ROLES = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
}


def s3_region() -> str:
    """Return the region that somebody names; "" if nobody does."""
    return _place("region")


def s3_server() -> str:
    """Return the address of the server that somebody names; "" if nobody does."""
    return _place("endpoint_url")


def s3_keys() -> dict[str, str]:
    """Return the keys by their variables' names; none if neither environment nor profile has any.

    Raises SettingError for a profile whose keys have to be asked for.
    """
    if has_keys(os.environ):
        return {name: os.environ[name] for name in KEYS if os.environ.get(name)}
    found = _profile()
    keys = {variable: found[name] for variable, name in KEYS.items() if found.get(name)}
    if has_keys(keys):
        return keys
    if any(name in found for name in ASKED_FOR) and not ROLES.intersection(os.environ):
        cause = f"the profile {_profile_name()} has no keys, but a role, a login or a program"
        command = f"aws configure export-credentials --profile {_profile_name()} --format env"
        raise SettingError(cause, f'run eval "$({command})"')
    return {}


def has_keys(values: Mapping[str, str]) -> bool:
    """Return whether what is needed to sign a request is among these."""
    return bool(values.get("AWS_ACCESS_KEY_ID") and values.get("AWS_SECRET_ACCESS_KEY"))


def _place(name: str) -> str:
    """Return a value of the environment, else of the profile."""
    in_environment = (os.environ.get(variable) for variable in PLACES[name])
    return next(filter(None, in_environment), "") or _profile().get(name, "")


def _profile_name() -> str:
    """Return the name of the profile."""
    return os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"


def _profile() -> dict[str, str]:
    """Return what the files say in the profile; raise SettingError for one that is in none."""
    name = _profile_name()
    config = _sections("AWS_CONFIG_FILE", "config")
    sections = [
        config.get(f"profile {name}") or config.get(name if name == "default" else ""),
        _sections("AWS_SHARED_CREDENTIALS_FILE", "credentials").get(name),
    ]
    known = [section for section in sections if section is not None]
    if not known and name != "default":
        raise SettingError(f"no file in ~/.aws has a profile {name}", "correct AWS_PROFILE")
    return {key: value for section in known for key, value in section.items()}


def _sections(variable: str, name: str) -> dict[str, dict[str, str]]:
    """Return the sections of one of AWS's files; none if it is not there."""
    from configparser import Error, RawConfigParser

    path = Path(os.environ.get(variable) or Path("~/.aws", name)).expanduser()
    parser = RawConfigParser(strict=False, default_section="")
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, Error) as error:
        remedy = f"correct it, or name another in {variable}"
        raise SettingError(f"{path} can't be read", remedy) from error
    return {section: dict(parser.items(section)) for section in parser.sections()}
