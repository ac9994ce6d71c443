"""`matte config`: what a run would be told."""

import json

import click

from matte.cli.options import setting_options
from matte.configs.loader import Settled, values
from matte.configs.settings import SETTINGS


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@setting_options(*SETTINGS)
def show(settled: Settled) -> None:
    """Print all settings as TOML, each with the layer that it came from.

    Settings come from defaults, the preset, the settings file, flags: the later ones win. The
    output is itself a settings file.

    Example: matte config show --preset fast > fast.toml
    """
    current = values(settled.config)
    click.echo(f"preset = {_text(settled.preset)}")
    section = ""
    for name, setting in SETTINGS.items():
        if setting.section != section:
            section = setting.section
            click.echo(f"\n[{section}]")
        line = f"{name} = {_text(current[name])}"
        click.echo(f"{line:<28}  # {_text(settled.origins[name])[1:-1]}")


def _text(value: object) -> str:
    """A value as TOML writes it, and JSON too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
