"""`matte doctor`: what is installed, what works, and what to do about the rest."""

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor(as_json: bool) -> None:
    """Check the installation, and print the command that installs what is missing.

    Lists versions, runtimes, devices and networks. Exits with 1 if 'matte image' can't work.

    Example: matte doctor
    """
    import json

    from matte.doctor import examine

    findings = examine()
    if as_json:
        click.echo(json.dumps([f.as_dict() for f in findings], indent=2))
    else:
        width = max(len(f.name) for f in findings)
        for f in findings:
            mark = "ok" if f.works else "MISSING" if f.needed else "-"
            click.echo(
                f"{mark:<8}{f.name:<{width}}  {f.told}" + (f": {f.remedy}" if f.remedy else "")
            )
    if any(f.needed and not f.works for f in findings):
        raise SystemExit(1)
