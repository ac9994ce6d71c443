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
    """
    current = values(settled.config)
    click.echo(f"preset = {json.dumps(settled.preset)}")
    section = ""
    for name, setting in SETTINGS.items():
        if setting.section != section:
            section = setting.section
            click.echo(f"\n[{section}]")
        line = f"{name} = {json.dumps(current[name])}"
        click.echo(f"{line:<28}  # {settled.origins[name]}")
