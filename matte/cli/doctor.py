"""`matte doctor`: what is installed, what works, and what to do about the rest."""

import click

from matte.cli.options import print_line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor(as_json: bool) -> None:
    """Check the installation, and print the command that installs what is missing.

    Lists versions, extras, runtimes, devices and networks. Exits with 1 if 'matte image' can't
    work.

    Example: matte doctor
    """
    import json

    from matte.doctor import examine

    parts = examine()
    if as_json:
        click.echo(json.dumps([part.as_dict() for part in parts], indent=2))
    else:
        width = max(len(part.name) for part in parts)
        for part in parts:
            mark = "ok" if part.works else "MISSING" if part.needed else "-"
            remedy = f": {part.remedy}" if part.remedy else ""
            print_line(f"{mark:<8}{part.name:<{width}}  {part.details}{remedy}")
    if any(part.needed and not part.works for part in parts):
        raise SystemExit(1)
