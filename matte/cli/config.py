"""`matte config`: the settings that a run would have."""

import json

import click

from matte.cli.grouped import GroupedCommand
from matte.cli.settings import setting_options
from matte.configs.loader import MergedSettings, written_values
from matte.configs.settings import SETTINGS


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command(cls=GroupedCommand)
@setting_options(*SETTINGS)
def show(settings: MergedSettings) -> None:
    """Print all settings, and where each comes from, as a settings file (TOML).

    They come from the defaults, the preset, the settings file and the flags: later ones win.

    Example: matte config show --preset fast > fast.toml
    """
    current = written_values(settings.config)
    click.echo(f"preset = {_toml_text(settings.preset)}")
    section = ""
    for name, setting in SETTINGS.items():
        if setting.section != section:
            section = setting.section
            click.echo(f"\n[{section}]")
        line = f"{name} = {_toml_text(current[name])}"
        click.echo(f"{line:<28}  # {_toml_text(settings.origins[name])[1:-1]}")


def _toml_text(value: object) -> str:
    """Return a value as TOML writes it, and JSON too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
